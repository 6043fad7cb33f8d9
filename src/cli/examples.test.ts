import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Command } from 'commander'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import type { Act } from './command.ts'
import { COMMANDS } from './commands/index.ts'
import { createProgram } from './run-cli.ts'

const PAGES = [
  ...readdirSync(PACKAGE_ROOT),
  ...['docs', 'examples', 'notebooks'].flatMap(folder =>
    readdirSync(join(PACKAGE_ROOT, folder), { recursive: true, encoding: 'utf8' }).map(
      page => `${folder}/${page}`,
    ),
  ),
].filter(page => page.endsWith('.md'))
const { scripts } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>
}

/** What is said below a command's help, and of each command below it. */
for (const { name } of COMMANDS) {
  test(`every example in the help of ${name} is a command that there is, with options that it has`, async () => {
    const examples = helpsOf(await programOf(name, () => async () => {}), name).flatMap(examplesIn)
    ok(examples.length > 0, `${name} shows no example`)
    for (const example of examples) {
      equal(await faultOf(example), undefined, example)
    }
  })
}

for (const page of PAGES) {
  test(`every call of ours in a block for a shell in ${page} is a command that there is`, async () => {
    for (const line of shellLinesIn(readFileSync(join(PACKAGE_ROOT, page), 'utf8'))) {
      equal(await faultOf(line), undefined, line)
    }
  })

  test(`every script of ours that ${page} names is one that there is`, () => {
    for (const [, name = ''] of readFileSync(join(PACKAGE_ROOT, page), 'utf8').matchAll(
      /\bnpm (?:run |--silent )+([a-z][\w:-]*)/g,
    )) {
      ok(name in scripts, name)
    }
  })
}

test('the pages of each folder are looked at', () => {
  for (const page of [
    'README.md',
    'CONTRIBUTING.md',
    'docs/getting-started.md',
    'examples/stacks/README.md',
  ]) {
    ok(PAGES.includes(page), page)
  }
  ok(PAGES.some(page => page.startsWith('docs/decisions/')))
})

test('an example with an option, a command or an argument that there is not is found', async () => {
  match((await faultOf('fairlead deploy shop --comit 1234')) ?? '', /unknown option '--comit'/)
  match((await faultOf('fairlead registry clean')) ?? '', /unknown command 'clean'/)
  match((await faultOf('fairlead shop')) ?? '', /unknown command 'shop'/)
  match((await faultOf('fairlead deploy shop now then')) ?? '', /too many arguments/)
  match((await faultOf('fairlead result --repository shop')) ?? '', /required option '--commit/)
})

test('what stands around a call of ours in a line of a shell is left out', () => {
  deepEqual(callsIn('source <(fairlead completion bash)'), [['completion', 'bash']])
  deepEqual(callsIn('fairlead registry certificate > ca.crt'), [['registry', 'certificate']])
  deepEqual(callsIn(`printf x | fairlead secrets set shop 'A B'`), [['secrets', 'set', 'shop', 'A B']])
})

/** Undefined: our program would begin what the line asks for. */
async function faultOf(line: string): Promise<string | undefined> {
  const calls = callsIn(line)
  if (calls.length === 0) {
    return 'it calls no "fairlead"'
  }
  for (const words of calls) {
    let begun = 0
    const act: Act = () => async () => {
      begun += 1
    }
    try {
      await (await programOf(words[0] ?? '', act)).parseAsync(words, { from: 'user' })
    } catch (error) {
      return (error as Error).message
    }
    if (begun === 0) {
      return 'it begins nothing'
    }
  }
  return undefined
}

async function programOf(name: string, act: Act): Promise<Command> {
  const program = createProgram([name])
  for (const entry of COMMANDS) {
    const command = program.command(entry.name)
    if (name === entry.name) {
      ;(await entry.load())(command, act)
    }
  }
  for (const each of withAllBelow(program)) {
    each.exitOverride().configureOutput({ writeErr: () => {} })
  }
  return program
}

function withAllBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withAllBelow)]
}

function helpsOf(program: Command, name: string): string[] {
  const command = program.commands.find(each => each.name() === name)
  return command ? withAllBelow(command).map(helpOf) : []
}

function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: more => {
      text += more
    },
  })
  command.outputHelp()
  return text
}

/** Those that call us, each with the lines that go on with it. */
function shellLinesIn(page: string): string[] {
  return [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)]
    .flatMap(([, block = '']) => block.replace(/\\\n/g, ' ').split('\n'))
    .map(line => line.replace(/(^|\s)#.*$/, ''))
    .filter(line => callsIn(line).length > 0)
}

function examplesIn(help: string): string[] {
  return [...help.matchAll(/^ {2}\$ (.+)$/gm)].map(([, line = '']) => line.split(/ {3,}/)[0] ?? '')
}

/** The words of each call of ours in a line of a shell. */
function callsIn(line: string): string[][] {
  return line.split(/[|;()]|&&/).flatMap(piece => {
    const words = [...piece.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
      ([, single, double, plain]) => single ?? double ?? plain ?? '',
    )
    const ends = words.findIndex(word => /^[<>]/.test(word))
    const own = ends < 0 ? words : words.slice(0, ends)
    const at = own.findIndex(word => !/^(?:sudo|[A-Z_]+=.*)$/.test(word))
    return own[at] === 'fairlead' ? [own.slice(at + 1)] : []
  })
}
