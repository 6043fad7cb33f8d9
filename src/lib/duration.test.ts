import { equal } from 'node:assert/strict'
import { test } from 'node:test'
import { readDuration, writeDuration } from './duration.ts'

for (const [text, ms] of [
  ['0s', 0],
  ['500ms', 500],
  ['60s', 60_000],
  ['5m', 300_000],
  ['2h', 7_200_000],
] as const) {
  test(`${text} is ${ms} ms`, () => equal(readDuration(text), ms))
}

for (const text of [
  '',
  '5',
  's',
  '5 s',
  '-5s',
  '1.5s',
  '05s',
  '5S',
  '5m30s',
  '1e3s',
  '9999999999s',
  '5s\n',
  '५s',
]) {
  test(`${JSON.stringify(text)} is no duration`, () => equal(readDuration(text), undefined))
}

for (const [ms, text] of [
  [0, '0ms'],
  [1_500, '1500ms'],
  [90_000, '90s'],
  [300_000, '5m'],
  [7_200_000, '2h'],
] as const) {
  test(`${ms} ms are written ${text}`, () => equal(writeDuration(ms), text))
}
