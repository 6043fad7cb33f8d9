import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FairleadError } from '#lib/errors.ts'
import { authorityOf, hostKeyName, parseRepositoryUrl } from './git-url.ts'

const LOOPBACK = ['127.0.0.0/8', '::1/128']

function refusal(url: string, rules = {}): FairleadError {
  try {
    parseRepositoryUrl(url, rules)
  } catch (error) {
    assert.ok(error instanceof FairleadError)
    assert.equal(error.status, 422)
    assert.ok(error.hint.length > 20)
    return error
  }
  return assert.fail(`${url} was accepted`)
}

const ACCEPTED = [
  ['https://github.com/o/r', 'https://github.com/o/r'],
  ['HTTPS://GITHUB.com:443/Org/repo.git/', 'https://github.com/Org/repo.git'],
  ['https://git.example.org:8443/o/r.git', 'https://git.example.org:8443/o/r.git'],
  ['https://dev.azure.com/org/My%20Project/_git/repo', 'https://dev.azure.com/org/My%20Project/_git/repo'],
  ['https://bücher.example/o/r', 'https://xn--bcher-kva.example/o/r'],
  ['ssh://git@github.com/o/r.git', 'ssh://git@github.com/o/r.git'],
  ['ssh://git@git.example.org:2222/o/r.git', 'ssh://git@git.example.org:2222/o/r.git'],
  ['ssh://git@ssh.github.com:443/o/r.git', 'ssh://git@ssh.github.com:443/o/r.git'],
  ['git@github.com:o/r.git', 'git@github.com:o/r.git'],
  ['gitea@git.example.org:/srv/r.git', 'ssh://gitea@git.example.org/srv/r.git'],
  ['https://[2606:50c0:8000::153]/o/r', 'https://[2606:50c0:8000::153]/o/r'],
] as const

for (const [given, text] of ACCEPTED) {
  test(`the address ${given} is given to git as ${text}`, () => {
    assert.equal(parseRepositoryUrl(given).text, text)
    assert.equal(parseRepositoryUrl(text).text, text)
  })
}

const FOREIGN = [
  'file:///etc',
  '/srv/x',
  './x',
  'x',
  'ext::sh -c id',
  'ext::sh',
  'git://h/x',
  'http://h/x',
  'ftp://h/x',
  'transport::x',
  '::x',
  '://h/x',
  'ssh+git://git@h/x',
  'h:x',
]
for (const url of FOREIGN) {
  test(`G01 ${url} is refused`, () => {
    assert.equal(refusal(url).code, 'REPOSITORY_URL_REFUSED')
  })
}

for (const url of [
  'https://user:pass@h.example/x',
  'https://token@h.example/x',
  'ssh://git:pass@h.example/x',
]) {
  test(`G02 ${url} is refused in favour of the credential field, without repeating it`, () => {
    const error = refusal(url)
    assert.match(error.hint, /Put credentials in the credential field/)
    assert.doesNotMatch(`${error.message}${error.hint}`, /pass@|token@/)
  })
}

const PRIVATE = [
  'https://127.0.0.1/x',
  'https://[::1]/x',
  'https://0x7f.1/x',
  'https://2130706433/x',
  'https://0177.0.0.1/x',
  'https://127.1/x',
  'https://①②⑦.0.0.1/x',
  'https://localhost/x',
  'https://localhost./x',
  'https://git.localhost/x',
  'https://[::ffff:169.254.169.254]/x',
  'https://[64:ff9b::a9fe:a9fe]/x',
  'ssh://git@10.0.0.1/x',
  'git@192.168.1.1:x',
  'git@0x7f.1:x',
  'ssh://git@LOCALHOST/x',
]
for (const url of PRIVATE) {
  test(`G03 ${url} is refused as a private address`, () => {
    const error = refusal(url)
    assert.equal(error.code, 'PRIVATE_ADDRESS')
    assert.match(error.hint, /allowPrivate/)
  })
}

test('G03 an allowed range opens loopback and nothing else', () => {
  const rules = { allowPrivate: LOOPBACK }
  assert.equal(parseRepositoryUrl('https://127.1:8443/x', rules).text, 'https://127.0.0.1:8443/x')
  assert.equal(parseRepositoryUrl('https://localhost:8443/x', rules).host, 'localhost')
  assert.equal(parseRepositoryUrl('ssh://git@[::1]:2222/x', rules).text, 'ssh://git@[::1]:2222/x')
  assert.equal(refusal('https://10.0.0.1/x', rules).code, 'PRIVATE_ADDRESS')
})

const IMITATIONS = [
  'https://github.com.evil.tld/o/r',
  'https://github.com:443@evil.tld/',
  'https://h\\@evil/',
  'https://github.com%2eevil.tld/o/r',
  'https://evil@github.com/o/r',
  'git@github.com.evil.tld:o/r',
  'https://github.com/o/../../x/r',
  'https://github.com/o/%2e%2e/r',
]
for (const url of IMITATIONS) {
  test(`G06 ${url} is refused`, () => {
    refusal(url)
  })
}

test('G06 with a list of hosts every other host is refused', () => {
  assert.match(
    refusal('https://git.example.org/o/r', { hosts: ['github.com'] }).message,
    /git\.example\.org is not one of/,
  )
  assert.equal(parseRepositoryUrl('https://GitHub.com/o/r', { hosts: ['github.com'] }).host, 'github.com')
})

const OPTIONS = [
  'git@-oProxyCommand=x:y',
  'ssh://-oProxyCommand=x/y',
  'ssh://git@-oProxyCommand=x/y',
  '-oProxyCommand=x@h:y',
  'ssh://-l@h.example/x',
  'git@h.example:-x/y',
  'https://h.example/--upload-pack=x',
  '--upload-pack=touch',
  'https://-h.example/x',
]
for (const url of OPTIONS) {
  test(`G07 ${url} is refused`, () => {
    assert.equal(refusal(url).code, 'REPOSITORY_URL_REFUSED')
  })
}

const ODD = [
  'https://h.example/a\nb',
  'https://h.example/a\tb',
  'https://h.example/a\0b',
  'https://h.example/a b',
  'https://h.example/a%0ab',
  'https://h.example/a%00',
  'https://h.example/a%2fb',
  'https://h.example/a%zz',
  'https://h.example/a%ff',
  `https://h.example/${'a'.repeat(4096)}`,
  'https://h.example/a\u202eb',
  ' https://h.example/a',
  '',
  'https://',
  'https:///x',
  'https://h.example',
  'https://h.example/',
  'https://h.example//x',
  'https://h.example/x?y=1',
  'https://h.example/x#y',
  'https://h.example:0/x',
  'https://h.example:65536/x',
  'https://h.example:/x',
  'https://[::1/x',
  'https://h.example/$(id)',
  'git@h.example:',
  'git@h.example:a%20b',
  'ssh://h.example/x',
]
for (const url of ODD) {
  test(`G08 ${JSON.stringify(url.slice(0, 60))} is refused`, () => {
    assert.equal(refusal(url).code, 'REPOSITORY_URL_REFUSED')
  })
}

test('a name of another port is listed in known_hosts with brackets', () => {
  assert.equal(hostKeyName(parseRepositoryUrl('ssh://git@git.example.org:2222/x')), '[git.example.org]:2222')
  assert.equal(hostKeyName(parseRepositoryUrl('git@git.example.org:x')), 'git.example.org')
})

test('the authority of an https address leaves the usual port out', () => {
  assert.equal(authorityOf(parseRepositoryUrl('https://git.example.org:443/x')), 'git.example.org')
  assert.equal(authorityOf(parseRepositoryUrl('https://git.example.org:8443/x')), 'git.example.org:8443')
})
