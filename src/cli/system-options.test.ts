import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPort } from './system-options.ts'

for (const [text, protocol, container, sources] of [
  ['8080', 'tcp', 8080, []],
  ['53/udp', 'udp', 53, []],
  ['443=@github-hooks', 'tcp', 443, ['@github-hooks']],
  ['443=10.0.0.0/8,@ci,fd00::/8', 'tcp', 443, ['10.0.0.0/8', '@ci', 'fd00::/8']],
] as const) {
  test(`the port ${text} is taken beside those before it`, () => {
    const before = { protocol: 'tcp', container: 1, sources: [] } as const
    assert.deepEqual(readPort(text, [before]), [before, { protocol, container, sources }])
  })
}

for (const text of ['80/icmp', '0', '80=', '80=nobody', '80=@', '80=@Ci', '80=10.0.0.0/x']) {
  test(`the port ${text} is refused`, () => {
    assert.throws(() => readPort(text), { code: 'commander.invalidArgument' })
  })
}
