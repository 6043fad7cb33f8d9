import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { programOf } from './part-program.ts'

/** A package whose parts print a word of another file. */
function aPackage(t: TestContext): { root: string; write(path: string, text: string): void } {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-parts-'))
  t.after(() => rmSync(root, { recursive: true }))
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const file of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'scripts/bundle.ts',
    'scripts/build-cache.ts',
  ]) {
    cpSync(join(PACKAGE_ROOT, file), join(root, file))
  }
  symlinkSync(join(PACKAGE_ROOT, 'node_modules'), join(root, 'node_modules'))
  for (const part of ['manager', 'worker', 'guardian', 'cli', 'previews']) {
    write(`src/${part}/main.ts`, `import { word } from '#lib/word.ts'\nconsole.log(word satisfies string)\n`)
  }
  write('src/lib/word.ts', `export const word: string = 'one'\n`)
  return { root, write }
}

function run(program: string): string {
  return execFileSync(process.execPath, [program], { encoding: 'utf8' }).trim()
}

test('a part runs a bundle of the sources as they are now, also when only the times of a file say so', t => {
  const { root, write } = aPackage(t)
  const first = programOf('worker', root)
  assert.match(first, /\.cache\/parts\/[^/]+\/worker\/worker\.js$/)
  assert.equal(run(first), 'one')
  assert.equal(programOf('worker', root), first)

  write('src/lib/word.ts', `export const word: string = 'two'\n`)
  const second = programOf('worker', root)
  assert.notEqual(second, first)
  assert.equal(run(second), 'two')
  // What runs already may still load the rest of its own bundle.
  assert.ok(existsSync(first))

  // As long as before, and as old as before: somebody unpacked an archive over it.
  const longAgo = new Date('2020-02-02')
  utimesSync(join(root, 'src/lib/word.ts'), longAgo, longAgo)
  assert.equal(run(programOf('worker', root)), 'two')
  write('src/lib/word.ts', `export const word: string = 'six'\n`)
  utimesSync(join(root, 'src/lib/word.ts'), longAgo, longAgo)
  assert.equal(run(programOf('worker', root)), 'six')
})

test('where no bundle can be made the sources run, and what was shipped where there are none', t => {
  const { root } = aPackage(t)
  const sources = join(root, 'src/manager/main.ts')
  rmSync(join(root, 'scripts/bundle.ts'))
  assert.equal(programOf('manager', root), sources)
  assert.equal(run(sources), 'one')

  cpSync(join(PACKAGE_ROOT, 'scripts/bundle.ts'), join(root, 'scripts/bundle.ts'))
  // As scripts/pack.ts ships it.
  cpSync(dirname(dirname(programOf('manager', root))), join(root, 'dist'), { recursive: true })
  rmSync(join(root, 'src'), { recursive: true })
  assert.equal(run(programOf('manager', root)), 'one')
})

test('a bundle names the file that each function came from, so that a stack trace can be read', t => {
  const { root, write } = aPackage(t)
  write(
    'src/lib/word.ts',
    `export const word: string = where()\n\nfunction where(): string {\n  return new Error('x').stack ?? ''\n}\n`,
  )
  const program = programOf('manager', root)
  assert.match(run(program), /at where \(/)
})
