import { deepEqual, equal, ok } from 'node:assert/strict'
import { test } from 'node:test'
import { detectStrict } from './strict.ts'
import { folderOf, readCases, readStrictRows } from './test-cases.ts'

/** Which of our codes says the same as a sentence of repo2docker. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/both a 'binder' and a '.binder'/, 'BINDER_BOTH'],
  [/legacy buildpack/, 'LEGACY'],
  [/Invalid runtime.txt date/, 'RUNTIME_DATE'],
  [/Invalid runtime.txt:/, 'RUNTIME'],
  [/Found invalid package name/, 'APT'],
  [/should contain a dictionary/, 'ENV_YML'],
  [/MRAN/, 'R_SNAPSHOT'],
  [/R version .* is not supported/, 'R_VERSION'],
  [/Python version .* is not supported/, 'PY_UNSUPPORTED'],
  [/runtime.txt version not supported/, 'PY_CONFLICT'],
  [/Python version compatible with pyproject/, 'PY_NONE'],
]

test('the strict rules agree with repo2docker on every generated folder', () => {
  const rows = readStrictRows()
  equal(rows.length, 600)
  for (const { id, files, expect } of rows) {
    agrees(id, files, expect)
  }
})

test('the strict rules agree with repo2docker on every case', () => {
  for (const { id, files, strict } of readCases()) {
    agrees(id, files, strict)
  }
})

function agrees(
  id: string,
  files: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, unknown>>,
): void {
  const found = detectStrict(folderOf(files))
  const error = expected.detectError ?? expected.renderError
  if (error === undefined) {
    deepEqual({ id, ...found }, { id, ...expected })
    return
  }
  ok('refused' in found, `${id} is refused by repo2docker: ${error}`)
  const reason = REASONS.find(([words]) => words.test(String(error)))?.[1]
  deepEqual({ id, code: found.refused.code }, { id, code: reason })
}
