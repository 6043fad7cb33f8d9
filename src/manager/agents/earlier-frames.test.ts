import { deepEqual, equal, ok } from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from '#commands/command.ts'
import { COMMANDS } from '#commands/index.ts'
import { CommandEnvelope, PROTOCOL_VERSION } from '#contract/agent-frames.ts'
import { check } from '#lib/check.ts'
import { asAgentFrame, asManagerFrame, readFrame } from '#link/frames.ts'

/**
 * Frames as a manager and a worker of that minor version spoke them, deploying an app by container and one by Compose:
 * one of each kind and shape. A file is added with each minor version, and the one before the last may go.
 */
const FOLDER = join(import.meta.dirname, 'fixtures')

interface Spoken {
  readonly from: 'agent' | 'manager'
  /** The command that it is the result of. */
  readonly of?: string
  readonly frame: { readonly command: string; readonly data: Readonly<Record<string, unknown>> }
}

for (const file of readdirSync(FOLDER)) {
  const lines = readFileSync(join(FOLDER, file), 'utf8').trimEnd().split('\n')
  const spoken = lines.map(line => JSON.parse(line) as Spoken)
  const by = (from: Spoken['from']) => spoken.filter(each => each.from === from)

  test(`what agents say in ${file} is understood by the manager of today`, () => {
    ok(by('agent').length >= 20)
    for (const { frame, of } of by('agent')) {
      const read = asAgentFrame(readFrame(JSON.stringify(frame), 'text'))
      if (of !== undefined && read.command === 'result') {
        check(commandNamed(of).result, read.data.data, `The result of ${of}`)
      }
    }
  })

  test(`what managers say in ${file} is understood by the agent of today`, () => {
    ok(by('manager').length >= 20)
    for (const { frame } of by('manager')) {
      if (asManagerFrame(readFrame(JSON.stringify(frame), 'text'))) {
        continue
      }
      const { params } = check(CommandEnvelope, frame.data, `The command ${frame.command}`)
      check(commandNamed(frame.command).data, params, `The data of ${frame.command}`)
    }
  })

  test(`the version and the commands of ${file} are still spoken`, () => {
    const said = (command: string): Readonly<Record<string, unknown>> =>
      by('agent').find(({ frame }) => frame.command === command)?.frame.data ?? {}
    ok((said('hello').v as number[]).includes(PROTOCOL_VERSION))
    const known = COMMANDS.map(({ name }) => name)
    const gone = (said('welcome').capabilities as string[]).filter(name => !known.includes(name))
    deepEqual(gone, [])
  })
}

function commandNamed(name: string): Command {
  const found = COMMANDS.find(command => command.name === name)
  equal(found?.name, name, `there is no command ${name} any more`)
  return found as Command
}
