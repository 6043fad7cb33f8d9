import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Page } from './client.ts'
import { type Read, rowsOf, withFirst, withNext } from './pages.ts'

const SIZE = 5
const itself = (row: number) => String(row)

test('no row is lost and none is there twice, wherever new ones come and old ones go between two looks', () => {
  // Rows are numbers, newest first, as a server with these would answer.
  let rows = Array.from({ length: 40 }, (_, index) => 40 - index)
  let read: Read<number> | undefined
  const look = () => {
    read = withFirst(read, pageOf(rows), itself)
  }
  const scroll = () => {
    read = read && read.next !== null ? withNext(read, pageOf(rows, Number(read.next))) : read
  }
  const shown = () => (read ? rowsOf(read, itself) : [])
  const expect = () => assert.deepEqual(shown(), rows.slice(0, shown().length))
  look()
  scroll()
  assert.equal(shown().length, 2 * SIZE)
  rows = [41, ...rows]
  look()
  expect()
  scroll()
  expect()
  rows = [43, 42, ...rows.filter(row => row !== 40)]
  look()
  expect()
  assert.ok(shown().length >= 3 * SIZE)
  rows = rows.filter(row => row !== 39)
  read = withFirst(read, pageOf(rows, Number.POSITIVE_INFINITY, 2 * SIZE), itself)
  expect()
  // A gap that nobody has read: what came before it is shown, and the rest is read anew.
  rows = [...Array.from({ length: 3 * SIZE }, (_, index) => 60 - index), ...rows]
  look()
  expect()
  while (read?.next !== null) {
    scroll()
  }
  assert.deepEqual(shown(), rows)
})

test('a row that changed shows what was read last', () => {
  const keyOf = (row: { id: string; state: string }) => row.id
  const [a, b, c] = ['a', 'b', 'c'].map(id => ({ id, state: 'running' }))
  assert.ok(a && b && c)
  let read = withFirst(undefined, { items: [a], next: 'a' }, keyOf)
  read = withNext(read, { items: [b, c], next: null })
  const ended = { ...b, state: 'succeeded' }
  read = withFirst(read, { items: [a, ended], next: 'b' }, keyOf)
  assert.deepEqual(rowsOf(read, keyOf), [a, ended, c])
})

function pageOf(rows: readonly number[], before = Number.POSITIVE_INFINITY, size = SIZE): Page<number> {
  const left = rows.filter(row => row < before)
  const items = left.slice(0, size)
  return { items, next: left.length > size ? String(items.at(-1)) : null }
}
