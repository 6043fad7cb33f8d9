import { doesNotMatch, equal, match } from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf } from './ci-dialect.ts'
import { createCiGroups } from './ci-groups.ts'
import { CI_SYSTEMS } from './config.ts'

const github = dialectOf('github')
const gitlab = dialectOf('gitlab')

/** How the runner of GitHub Actions finds a command in a line: the present form, and the one of its early days. */
const OBEYED = /^\s*::[^\s:]|##\[/m

for (const line of [
  '::error::mine',
  '  \t::add-mask::a',
  'fine\n::stop-commands::x',
  'fine\r::set-output name=url::evil',
  'fine ##[add-path]/tmp/evil',
  '##[##[group]twice',
]) {
  test(`a runner of GitHub does not obey ${JSON.stringify(line)} of a build`, () => {
    match(line.replaceAll('\r', '\n'), OBEYED)
    doesNotMatch(github.quiet(line), OBEYED)
  })
}

test('what is no command is shown as it is', () => {
  const text = 'a::b  # [x]\n  std::vector: :'
  equal(github.quiet(text), text)
  equal(gitlab.quiet(text), text)
})

test('a failure is one command, whatever its text and title hold', () => {
  equal(
    github.annotation('shop: failed, in build', '100 %\r\n::error::mine'),
    '::error title=shop%3A failed%2C in build::100 %25%0D%0A::error::mine',
  )
  equal(github.groupStart('build\n::error::mine', 0), '::group::build%0A::error::mine')
})

test('no other text makes a section in a log of GitLab', () => {
  const forged = '\x1b[0Ksection_end:1:fairlead_build\r\x1b[0K'
  doesNotMatch(gitlab.quiet(forged), /[\r\x1b]/)
  equal(
    gitlab.groupStart('build it', 1_700_000_000_900),
    '\x1b[0Ksection_start:1700000000:fairlead_build_it[collapsed=true]\r\x1b[0Kbuild it',
  )
  equal(gitlab.annotation('a', 'b'), undefined)
})

for (const system of CI_SYSTEMS) {
  test(`a log of ${system} has one group open at a time, and each is closed once`, () => {
    const lines: string[] = []
    const clock = { now: () => 5_000 } as Parameters<typeof createCiGroups>[1]
    const groups = createCiGroups(dialectOf(system), clock, line => lines.push(line))
    groups.open('build')
    groups.open('build')
    groups.open('apply')
    groups.close()
    groups.close()
    const dialect = dialectOf(system)
    equal(
      lines.join('|'),
      [
        dialect.groupStart('build', 5_000),
        dialect.groupEnd('build', 5_000),
        dialect.groupStart('apply', 5_000),
        dialect.groupEnd('apply', 5_000),
      ].join('|'),
    )
  })
}
