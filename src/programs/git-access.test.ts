import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { revealed, Secret } from '#lib/secret.ts'
import { accessTo } from './git-access.ts'
import { parseRepositoryUrl } from './git-url.ts'

const PASSWORD = 'p\'w$(id)`\\ %s"x'
const HTTPS = { kind: 'https', username: 'ada@example.org', password: new Secret(PASSWORD) } as const
const SSH = { kind: 'ssh', privateKey: new Secret('KEY\n'), knownHosts: 'h ssh-ed25519 AAAA' } as const

test('G04 an HTTPS remote is pinned to all its checked addresses', () => {
  const url = parseRepositoryUrl('https://git.example.org:8443/o/r')
  const { config } = accessTo({ url, addresses: ['192.0.2.1', '2001:db8::1'] })
  assert.deepEqual(config, ['http.curloptResolve=git.example.org:8443:192.0.2.1,[2001:db8::1]'])
})

test('R01 password, key and authority travel in temporary files only', () => {
  for (const [text, credential] of [
    ['https://git.example.org/o/r', HTTPS],
    ['ssh://git@git.example.org/o/r', SSH],
  ] as const) {
    const access = accessTo({ url: parseRepositoryUrl(text), addresses: [], credential, ca: 'PEM' })
    assert.doesNotMatch(JSON.stringify([access.config, access.env]), /p'w|KEY|PEM/)
    const secrets = access.files.filter(file => file.content instanceof Secret)
    assert.equal(secrets.length, 1)
    assert.ok(access.files.every(file => file.executable !== true || file.name === 'askpass'))
  }
})

test('G22 G07 ssh gets exactly these options', () => {
  const url = parseRepositoryUrl('ssh://git@git.example.org:2222/o/r')
  const { env } = accessTo({ url, addresses: ['2001:db8::1', '192.0.2.1'], credential: SSH })
  assert.equal(
    env.GIT_SSH_COMMAND,
    "ssh -F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityFile={file:key} -o IdentityAgent=none -o UserKnownHostsFile={file:known_hosts} -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o HostKeyAlgorithms=ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512 -o ForwardAgent=no -o ClearAllForwardings=yes -o PermitLocalCommand=no -o ProxyCommand=none -o ControlPath=none -o ConnectTimeout=10 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -o Hostname=192.0.2.1 -o HostKeyAlias='[git.example.org]:2222'",
  )
})

const PROMPTS = [
  ["Username for 'https://git.example.org:8443': ", 'ada@example.org\n'],
  ["Password for 'https://ada@example.org@git.example.org:8443': ", `${PASSWORD}\n`],
  ["Password for 'https://ada%40example.org@git.example.org:8443': ", `${PASSWORD}\n`],
  ["Username for 'https://git.example.org': ", ''],
  ["Password for 'https://ada@evil.example': ", ''],
  ["Password for 'https://ada@git.example.org:8443.evil.example': ", ''],
  ["Password for 'http://ada@git.example.org:8443': ", ''],
  ['', ''],
] as const

test('the helper answers for the expected server only', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fairlead-askpass-'))
  try {
    const url = parseRepositoryUrl('https://git.example.org:8443/o/r')
    const { files, env } = accessTo({ url, addresses: [], credential: HTTPS })
    for (const { name, content, executable } of files) {
      await writeFile(join(folder, name), revealed(content))
      await chmod(join(folder, name), executable ? 0o700 : 0o600)
    }
    const filled = Object.entries(env).map(([key, value]) => [
      key,
      value.replace(/\{file:(\w+)\}/, `${folder}/$1`),
    ])
    for (const [prompt, answer] of PROMPTS) {
      const asked = promisify(execFile)(join(folder, 'askpass'), [prompt], {
        env: Object.fromEntries(filled),
      })
      assert.equal((await asked.catch(() => ({ stdout: '' }))).stdout, answer, prompt)
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
