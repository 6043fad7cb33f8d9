import { deepEqual, ok } from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Contract, contractOfToday } from './test-contract.ts'
import { refusals } from './test-subset.ts'

/**
 * What each recorded version takes and says, against what the manager of today says and takes
 * (docs/decisions/0098-agents-of-the-version-before.md). The one before the last may go.
 */
const FOLDER = join(import.meta.dirname, 'contracts')
const TODAY = contractOfToday()

/**
 * What the manager of today says only to agents that know it: the line that the comparison finds, and how the manager
 * finds out that they do.
 */
const ONLY_TO_THOSE_THAT_KNOW: Readonly<Record<string, string>> = {}

for (const file of readdirSync(FOLDER)) {
  const then = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Contract

  test(`agents of ${file} take whatever the manager of today tells them`, () => {
    const found = [
      ...refusals(TODAY.envelope, then.envelope, 'command'),
      ...each(TODAY.fromManager, then.fromManager, (today, before, name) =>
        before ? refusals(today, before, name) : [`${name}: is not known there`],
      ),
      // A command that they do not know is not told to them: they name those that they know in their welcome.
      ...each(TODAY.commands, then.commands, (today, before, name) =>
        before ? refusals(today.data, before.data, name) : [],
      ),
    ]
    deepEqual(
      found.filter(line => !(line in ONLY_TO_THOSE_THAT_KNOW)),
      [],
    )
  })

  test(`the manager of today takes whatever agents of ${file} say`, () => {
    const found = [
      ...each(then.fromAgent, TODAY.fromAgent, (before, today, name) =>
        today ? refusals(before, today, name) : [`${name}: is not known any more`],
      ),
      ...each(then.commands, TODAY.commands, (before, today, name) =>
        today ? refusals(before.result, today.result, name) : [],
      ),
    ]
    deepEqual(found, [])
  })

  test(`no command of ${file} has become another part's`, () => {
    const moved = Object.entries(then.commands).filter(
      ([name, { role }]) => (TODAY.commands[name]?.role ?? role) !== role,
    )
    deepEqual(moved, [])
  })
}

test('the minor version of today and the one before it are recorded', () => {
  const { version } = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8'),
  ) as {
    version: string
  }
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const needed = minor > 1 ? [minor - 1, minor] : [minor]
  const missing = needed.map(each => `${major}.${each}.json`).filter(file => !existsSync(join(FOLDER, file)))
  deepEqual(missing, [], 'node scripts/record-contract.ts')
})

test('a parameter that agents of the version before would refuse is found', () => {
  const name = 'container.start'
  const { data } = TODAY.commands[name] ?? {}
  ok(data?.properties)
  const today = { ...data, properties: { ...data.properties, flavour: { type: 'string' } } }
  deepEqual(refusals(today, data, name), [`${name}.flavour: is not known there`])
})

function each<T>(
  said: Readonly<Record<string, T>>,
  taken: Readonly<Record<string, T>>,
  compare: (said: T, taken: T | undefined, name: string) => readonly string[],
): readonly string[] {
  return Object.entries(said).flatMap(([name, part]) => compare(part, taken[name], name))
}
