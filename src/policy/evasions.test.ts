import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { checkComposeFiles, checkComposeModel } from './compose.ts'
import { checkDockerfile } from './dockerfile.ts'
import { type Finding, findingText } from './finding.ts'
import type { HostRules, ProjectFacts } from './rule-context.ts'

const RULES: HostRules = {
  mode: 'enforce',
  ports: { from: 20_110, to: 20_119, never: [] },
  registries: [],
}
const PROJECT: ProjectFacts = { name: 'shop', routes: [], variables: ['TOKEN'], sockets: [] }
const LEAST = 150

const EVASIONS = readFileSync(join(import.meta.dirname, 'evasions.txt'), 'utf8')
  .split(/^## /m)
  .slice(1)
  .map(block => {
    const [head = '', ...lines] = block.split('\n')
    const [kind = '', rule = '', ...title] = head.split(' ')
    return { kind, rule, title: title.join(' '), text: lines.join('\n').trimEnd() }
  })

const CHECKS: Readonly<Record<string, (text: string, rules: HostRules) => readonly Finding[]>> = {
  file: (text, rules) =>
    checkComposeFiles([{ file: 'compose.yaml', text, folder: '' }], rules, PROJECT).findings,
  rendered: (text, rules) =>
    checkComposeModel(parse(text), '/checkout', { rules, project: PROJECT, files: [] }),
  dockerfile: text =>
    checkDockerfile('Dockerfile', text, {
      registries: text.includes('.example') || /FROM \$/.test(text) ? ['registry.example', 'docker.io'] : [],
      args: {},
    }),
}

function errorsOf({ kind, text }: { kind: string; text: string }, rules: HostRules): readonly Finding[] {
  const check = CHECKS[kind]
  assert.ok(check, `no such kind: ${kind}`)
  return check(text, rules).filter(({ severity }) => severity === 'error')
}

test('there are enough evasions, each another one', () => {
  assert.ok(EVASIONS.length >= LEAST, `${EVASIONS.length}`)
  assert.equal(new Set(EVASIONS.map(({ kind, text }) => `${kind} ${text}`)).size, EVASIONS.length)
})

for (const evasion of EVASIONS) {
  test(`${evasion.title} (${evasion.kind}) is refused by ${evasion.rule}`, () => {
    const errors = errorsOf(evasion, RULES)
    assert.ok(
      errors.some(({ rule }) => rule === evasion.rule),
      `${evasion.rule} is not among: ${errors.map(findingText).join('\n') || 'nothing'}`,
    )
    if (evasion.kind === 'file') {
      assert.ok(errors.every(({ file, line }) => file === 'compose.yaml' && Number(line) >= 1))
    }
  })
}

test('C01 C07 C14 a host that only warns says the same, and still refuses what leaves the checkout', () => {
  for (const evasion of EVASIONS.filter(({ kind }) => kind === 'file')) {
    const check = (mode: HostRules['mode']) => CHECKS.file?.(evasion.text, { ...RULES, mode }) ?? []
    assert.deepEqual(
      check('warn').map(({ rule, path }) => `${rule} ${path}`),
      check('enforce').map(({ rule, path }) => `${rule} ${path}`),
      evasion.title,
    )
    const isAlways = ['POL013', 'POL030', 'POL031', 'POL039', 'POL041'].includes(evasion.rule)
    const refused = check('warn').some(({ rule, severity }) => rule === evasion.rule && severity === 'error')
    assert.ok(refused || !isAlways, evasion.title)
  }
})
