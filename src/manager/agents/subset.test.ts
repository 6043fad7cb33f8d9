import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { type TSchema, Type } from 'typebox'
import { refusals, type Schema } from './test-subset.ts'

const strict = { additionalProperties: false } as const
const text = Type.String({ maxLength: 10 })
const of = (properties: Record<string, TSchema>, options: { additionalProperties?: boolean } = strict) =>
  Type.Object(properties, options)

const CASES: readonly (readonly [what: string, written: TSchema, read: TSchema, lines: readonly string[]])[] =
  [
    ['the same', of({ a: text }), of({ a: text }), []],
    ['anything is taken', of({ a: text }), Type.Unknown(), []],
    ['nothing is promised', Type.Unknown(), text, ['the whole: is anything, and string is taken']],
    ['one that is left out', of({}), of({ a: Type.Optional(text) }), []],
    ['one that is new', of({ a: Type.Optional(text) }), of({}), ['a: is not known there']],
    ['a new one where names are free', of({ a: text }), of({}, {}), []],
    [
      'one that may be left out now',
      of({ a: Type.Optional(text) }),
      of({ a: text }),
      ['a: may be left out, and is required there'],
    ],
    ['one that is required now', of({ a: text }), of({ a: Type.Optional(text) }), []],
    ['an open object', of({}, {}), of({}), ['*: may have any name, and only some are known there']],
    ['a longer text', Type.String({ maxLength: 11 }), text, ['the whole: maxLength 11, and 10 is taken']],
    ['a text of any length', Type.String(), text, ['the whole: maxLength is not set, and 10 is taken']],
    ['a shorter text', Type.String({ maxLength: 9 }), text, []],
    [
      'another pattern',
      Type.String({ pattern: 'a' }),
      Type.String({ pattern: 'b' }),
      ['the whole: pattern a, and b is taken'],
    ],
    ['a number that is whole', Type.Integer(), Type.Number(), []],
    ['a number that is not', Type.Number(), Type.Integer(), ['the whole: is number, and integer is taken']],
    [
      'a lower number',
      Type.Integer({ minimum: 0 }),
      Type.Integer({ minimum: 1 }),
      ['the whole: minimum 0, and 1 is taken'],
    ],
    [
      'a new variant',
      Type.Union([Type.Literal('a'), Type.Literal('b')]),
      Type.Literal('a'),
      ['the whole: "b" is refused'],
    ],
    ['a variant that is gone', Type.Literal('a'), Type.Union([Type.Literal('a'), Type.Literal('b')]), []],
    [
      'any text for one',
      Type.String(),
      Type.Literal('a'),
      ['the whole: may be something else than what is taken'],
    ],
    ['a fixed text', Type.Literal('a'), text, []],
    ['null for a text', Type.Union([text, Type.Null()]), text, ['the whole: is null, and string is taken']],
    ['in a list', Type.Array(of({ a: text })), Type.Array(of({})), ['[].a: is not known there']],
    [
      'a longer list',
      Type.Array(text, { maxItems: 3 }),
      Type.Array(text, { maxItems: 2 }),
      ['the whole: maxItems 3, and 2 is taken'],
    ],
    [
      'in a pair',
      Type.Tuple([text, Type.Number()]),
      Type.Tuple([text, text]),
      ['[1]: is number, and string is taken'],
    ],
    ['a pair for a list', Type.Tuple([text]), Type.Array(text), ['[]: is a list of another kind']],
    [
      'in a record',
      of({ r: Type.Record(Type.String(), Type.Number()) }),
      of({ r: Type.Record(Type.String(), text) }),
      ['r.*: is number, and string is taken'],
    ],
    [
      'a record for known names',
      Type.Record(Type.String(), text),
      of({ a: Type.Optional(text) }),
      ['*: names like ^.*$ are not known there'],
    ],
    ['known names for a record', of({ a: text }), Type.Record(Type.String(), text), []],
    [
      'within the nearest variant',
      of({ kind: Type.Literal('a'), b: text }),
      Type.Union([of({ kind: Type.Literal('a') }), of({ kind: Type.Literal('c'), d: text })]),
      ['b: is not known there'],
    ],
  ]

for (const [what, written, read, lines] of CASES) {
  test(`what a reader refuses: ${what}`, () => {
    deepEqual(refusals(plain(written), plain(read)), lines)
  })
}

/** As it stands in a file. */
function plain(schema: TSchema): Schema {
  return JSON.parse(JSON.stringify(schema)) as Schema
}
