import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Problem } from '#lib/errors.ts'
import { parseDeployFile } from './parse.ts'
import { TEST_TARGETS } from './test-targets.ts'

const GOOD = `version: 1
apps:
  shop:
    target: boat
    port: 8080
    sails:
      - { name: jib, area: 12.5 }
    flags: { NATO: true, A: x }
    rig: ketch
    berth: [north, south]
    tide: 30s
    anchored: false
  raft: { target: raft, deadlines: { build: 45m } }
`

function problemsIn(text: string): readonly Problem[] {
  return parseDeployFile(text, 'fairlead.yaml', TEST_TARGETS).problems
}

/** `line:column path message (expected)` of each problem. */
function shownIn(text: string): string[] {
  return problemsIn(text).map(
    ({ line, column, path, message, expected }) =>
      `${line}:${column} ${path} ${message}${expected === undefined ? '' : ` (${expected})`}`,
  )
}

function appWith(...lines: string[]): string {
  return [
    'version: 1',
    'apps:',
    '  shop:',
    '    target: boat',
    '    port: 80',
    ...lines.map(line => `    ${line}`),
  ].join('\n')
}

describe('a deploy file', () => {
  test('gives its apps, the target apart from its settings', () => {
    deepEqual(parseDeployFile(GOOD, 'fairlead.yaml', TEST_TARGETS), {
      apps: [
        {
          name: 'shop',
          target: 'boat',
          settings: {
            port: 8080,
            sails: [{ name: 'jib', area: 12.5 }],
            flags: { NATO: true, A: 'x' },
            rig: 'ketch',
            berth: ['north', 'south'],
            tide: '30s',
            anchored: false,
          },
          common: {},
        },
        { name: 'raft', target: 'raft', settings: {}, common: { deadlines: { build: '45m' } } },
      ],
      problems: [],
    })
  })

  for (const [what, text, expected] of [
    [
      'an unknown key',
      appWith('prot: 81'),
      '6:5 apps.shop.prot is not a known key; did you mean "port"? (keys: port, sails, rig, flags, berth, address, tide, anchored, deadlines, watch, approval, drift, engine, schedule, secret_files, url_file, target)',
    ],
    [
      'a key of every target that is misspelt',
      appWith('tagret: boat'),
      /^6:5 apps\.shop\.tagret is not a known key; did you mean "target"\?/,
    ],
    [
      'a key that no code honours',
      appWith('watched: [src/**]'),
      '6:5 apps.shop.watched is not a known key (keys: port, sails, rig, flags, berth, address, tide, anchored, deadlines, watch, approval, drift, engine, schedule, secret_files, url_file, target)',
    ],
    [
      'a key deep inside',
      appWith('sails:', '  - name: jib', '    aera: 3'),
      '8:9 apps.shop.sails.0.aera is not a known key; did you mean "area"? (keys: name, area)',
    ],
    [
      'a key that resembles none',
      appWith('zzzzzzz: 1'),
      /^6:5 apps\.shop\.zzzzzzz is not a known key \(keys:/,
    ],
    [
      'a minute that no hour has',
      appWith('schedule:', '  cron: 61 * * * *'),
      /^7:13 apps\.shop\.schedule\.cron "61 \* \* \* \*" is no time: .*minute.* \(minute, hour, day of the month/,
    ],
    [
      'a day that never comes',
      appWith('schedule: { cron: 0 0 30 2 * }'),
      /^6:23 apps\.shop\.schedule\.cron "0 0 30 2 \*" never comes/,
    ],
    [
      'a time zone that does not exist',
      appWith('schedule:', '  cron: 0 4 * * 1', '  time_zone: Mars/Olympus'),
      '8:18 apps.shop.schedule.time_zone "Mars/Olympus" is no time zone (a name such as Europe/Helsinki)',
    ],
    [
      'a text for a number',
      appWith('sails: [{ name: jib, area: "12" }]'),
      '6:32 apps.shop.sails.0.area is a text (a number of at least 0)',
    ],
    [
      'a number outside of its range',
      appWith('sails: [{ name: jib, area: -1 }]'),
      '6:32 apps.shop.sails.0.area is -1 (a number of at least 0)',
    ],
    [
      'a missing key',
      'version: 1\napps:\n  shop:\n    target: boat\n',
      '3:3 apps.shop has no "port" (a whole number from 1 to 65535)',
    ],
    [
      'a missing target',
      'version: 1\napps:\n  shop:\n    port: 80\n',
      '3:3 apps.shop has no "target" (one of "boat", "raft")',
    ],
    [
      'a target that is misspelt',
      'version: 1\napps:\n  shop: { target: baot }\n',
      '3:19 apps.shop.target is not known: "baot"; did you mean "boat"? (one of "boat", "raft")',
    ],
    [
      'a choice that is misspelt',
      appWith('rig: slop'),
      '6:10 apps.shop.rig is not known: "slop"; did you mean "sloop"? (one of "sloop", "ketch")',
    ],
    [
      'a value of no choice',
      appWith('berth: 5'),
      '6:12 apps.shop.berth is a number (a text or a list, each a text)',
    ],
    [
      'a value of one choice that is wrong inside',
      appWith('berth: []'),
      '6:12 apps.shop.berth has 0 entries (at least 1)',
    ],
    [
      'a text of the wrong form',
      appWith('berth: A-1'),
      '6:12 apps.shop.berth does not have the right form (a text)',
    ],
    [
      'too many entries',
      appWith('sails: [{name: a}, {name: b}, {name: c}, {name: d}]'),
      '6:12 apps.shop.sails has 4 entries (at most 3)',
    ],
    [
      'a duration without a unit',
      appWith('tide: 60'),
      '6:11 apps.shop.tide is a number (a text (For example 30s or 5m))',
    ],
    [
      'a choice that resembles none',
      appWith('rig: galleon'),
      '6:10 apps.shop.rig is not known: "galleon" (one of "sloop", "ketch")',
    ],
    [
      'a duration with an unknown unit',
      appWith('tide: 60x'),
      '6:11 apps.shop.tide does not have the right form (a text (For example 30s or 5m))',
    ],
    [
      'a text for true or false',
      appWith('anchored: yes'),
      '6:15 apps.shop.anchored is a text (true or false (It stays where it is))',
    ],
    ['an app without content', 'version: 1\napps:\n  shop:\n', /^3:8 apps\.shop is empty/],
    ['no apps', 'version: 1\napps: {}\n', '2:7 apps has 0 entries (at least 1)'],
    [
      'a version that is to come',
      'version: 2\napps: { raft: { target: raft } }\n',
      '1:10 version is not known: 2 (1)',
    ],
    ['no version', 'apps: { raft: { target: raft } }\n', '1:1  has no "version" (1)'],
    ['a list for the whole', '- version: 1\n', '1:1  is a list (keys: version, apps)'],
    ['nothing at all', '', '1:1  is empty (keys: version, apps)'],
    [
      'the name of an app in capitals',
      'version: 1\napps:\n  Shop: { target: raft }\n',
      /^3:3 apps\.Shop is a name that is not allowed \(a name of the form/,
    ],
    [
      'a name that is too long',
      `version: 1\napps:\n  ${'a'.repeat(41)}: { target: raft }\n`,
      /is a name that is not allowed/,
    ],
    [
      'a value that only the validator has words for',
      appWith('address: 1.2.3'),
      '6:14 apps.shop.address must match format "ipv4"',
    ],
  ] as const) {
    test(`names line, place and expectation of ${what}`, () => {
      const [shown, ...others] = shownIn(text)
      deepEqual(others, [])
      typeof expected === 'string' ? equal(shown, expected) : match(shown ?? '', expected)
    })
  }

  test('shows all that is wrong at once, in the order of the file', () => {
    const lines = shownIn(appWith('rig: catamaran', 'sails: 3', 'flgas: {}', 'anchored: yes')).map(
      line => line.split(' ')[1],
    )
    deepEqual(lines, ['apps.shop.rig', 'apps.shop.sails', 'apps.shop.flgas', 'apps.shop.anchored'])
  })

  test('puts a problem inside of an anchored part to where it is written', () => {
    const text = 'version: 1\napps:\n  a: &base\n    target: boat\n    port: high\n  b: *base\n'
    deepEqual(shownIn(text), [
      '5:11 apps.a.port is a text (a whole number from 1 to 65535)',
      '5:11 apps.b.port is a text (a whole number from 1 to 65535)',
    ])
  })

  test('shows at most a hundred problems', () => {
    equal(problemsIn(appWith(...Array.from({ length: 300 }, (_, number) => `x${number}: 1`))).length, 100)
  })

  for (const name of ['__proto__', 'constructor', 'toString']) {
    test(`takes ${name} for no setting and no name`, () => {
      equal(shownIn(`version: 1\napps:\n  shop: { target: raft, ${name}: { logs: 1 } }\n`).length, 1)
      const { problems, apps } = parseDeployFile(
        `version: 1\napps: { ${name}: { target: raft } }\n`,
        'f',
        TEST_TARGETS,
      )
      ok(problems.length === 1 || apps[0]?.name === name)
    })
  }

  test('can be any text without an exception', () => {
    const pieces = fc.constantFrom(
      'version: 1\n',
      'apps:\n',
      '  shop:\n',
      '    target: boat\n',
      '    port: ',
      '*a',
      '&a ',
      '[',
      '{',
      '}',
      '- ',
      '? ',
      ': ',
      '!!map ',
      '"',
      '\t',
      '\n',
      '|',
      '%',
      '@',
      '\u2028',
    )
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(pieces, { maxLength: 40 }).map(all => all.join('')),
    )
    fc.assert(
      fc.property(texts, text => {
        const { apps, problems } = parseDeployFile(text, 'fairlead.yaml', TEST_TARGETS)
        ok(apps.length > 0 !== problems.length > 0)
        ok(
          problems.every(
            ({ line, column, file }) => (line ?? 0) > 0 && (column ?? 0) > 0 && file === 'fairlead.yaml',
          ),
        )
      }),
      { numRuns: 600 },
    )
  })
})

describe('C30 a hostile deploy file', () => {
  const bomb = [
    'a: &b0 [x]',
    ...Array.from({ length: 24 }, (_, n) => `k${n}: &b${n + 1} [*b${n}, *b${n}]`),
  ].join('\n')
  for (const [what, text, expected] of [
    ['with aliases that multiply', bomb, /Excessive alias count/],
    [
      'with 51 aliases',
      `a: &a 1\n${Array.from({ length: 51 }, (_, n) => `k${n}: *a`).join('\n')}`,
      /^52:6 {2}has more than 50 aliases/,
    ],
    ['with an alias of nothing', 'a: *nothing', /Unresolved alias/],
    ['with an alias of itself', 'a: &a [*a]', /./],
    ['indented by tabs', 'version: 1\napps:\n\tshop: 1', /^3:1 {2}is indented with a tab; YAML wants spaces/],
    ['with a key twice', appWith('port: 81'), /^6:5 {2}has the key "port" twice/],
    ['with a key that is a list', '? [a]\n: 1', /^1:3 {2}has a key that is not a text/],
    [
      'with a tag that makes a function',
      'a: !!js/function "x"',
      /^1:\d+ {2}(is not YAML|has a tag that is not allowed)/,
    ],
    [
      'with a tag that makes bytes',
      'a: !!binary aGk=',
      /^1:\d+ {2}has a tag that is not allowed: tag:yaml\.org,2002:binary/,
    ],
    ['with a tag of its own', 'a: !secret b', /^1:\d+ {2}(is not YAML|has a tag)/],
    ['with a byte order mark', '\uFEFFversion: 1', /^1:1 {2}begins with a byte order mark/],
    [
      'in UTF-16',
      Buffer.from('version: 1\napps: {}', 'utf16le').toString('utf8'),
      /^1:2 {2}is not UTF-8 text/,
    ],
    ['with a NUL', 'version: 1\na: b\0c', /^2:5 {2}is not UTF-8 text/],
    ['in Latin-1', Buffer.from('a: caf\xe9', 'latin1').toString('utf8'), /^1:7 {2}is not UTF-8 text/],
    ['of more than 256 KiB', `a: ${'x'.repeat(256 * 1024)}`, /^1:1 {2}is larger than 256 KiB/],
    ['with two documents', 'version: 1\n---\nversion: 1', /holds a second YAML document/],
    ['nested very deeply', '['.repeat(20_000), /^1:1 {2}is nested too deeply/],
    ['that ends in the middle', 'version: "1', /is not YAML/],
  ] as const) {
    test(`C30 ${what} is refused with its place`, () => {
      const [shown] = shownIn(text)
      match(shown ?? 'nothing', expected)
    })
  }

  test('C30 with as many keys as fit is refused without hanging', () => {
    const keys = Array.from({ length: 30_000 }, (_, number) => `  a${number}:`).join('\n')
    ok(shownIn(`version: 1\napps:\n${keys}`).length > 0)
  })
})
