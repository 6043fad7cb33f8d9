import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { COMMANDS } from './commands/index.ts'

const PROGRAM = join(import.meta.dirname, '../../bin/fairlead')
const SCRIPT = run(PROGRAM, ['completion', 'bash'])

function run(program: string, words: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(program, words, {
    env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' },
    encoding: 'utf8',
  })
  equal(status, 0, stderr)
  return stdout
}

/** What bash offers after these words, the last of which is being typed. */
function offered(...words: string[]): string[] {
  const line = ['fairlead', ...words].map(word => `'${word}'`).join(' ')
  const ask = `COMP_WORDS=(${line}); COMP_CWORD=${words.length}; _fairlead; printf '%s\\n' "\${COMPREPLY[@]}"`
  return run('bash', ['--norc', '-c', `set -u\n${SCRIPT}\n${ask}`])
    .split('\n')
    .filter(word => word !== '')
}

test('bash that sourced the script offers every command, and the one that was begun', () => {
  const all = offered('')
  ok(COMMANDS.every(({ name }) => all.includes(name)))
  deepEqual(offered('dep'), ['deploy', 'deploy-secret'])
  deepEqual(offered('--js'), ['--json'])
})

test('it offers what belongs to a command and to its own, also behind options', () => {
  deepEqual(offered('apps', 'sh'), ['show'])
  deepEqual(offered('apps', 'remove', '--vol'), ['--volumes'])
  deepEqual(offered('--json', 'deploy', '--comm'), ['--commit'])
  deepEqual(offered('completion', 'z'), ['zsh'])
  deepEqual(offered('deploy', 'shop', 'app'), [])
})

test('the scripts of the other shells name the same words', () => {
  match(run(PROGRAM, ['completion', 'zsh']), /bashcompinit\n_fairlead\(\)/)
  const fish = run(PROGRAM, ['completion', 'fish'])
  match(fish, /-n '__fish_seen_subcommand_from apps; and __fish_seen_subcommand_from remove' -l volumes -d '/)
  for (const line of fish.trim().split('\n')) {
    equal(line.split("'").length, 5, line)
  }
})
