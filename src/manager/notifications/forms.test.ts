import assert from 'node:assert/strict'
import { test } from 'node:test'
import { timedSignature } from '#git-hosts/signature.ts'
import { standard } from '#git-hosts/standard.ts'
import { revealed } from '#lib/secret.ts'
import { type Addressed, mailOf, slackRequest, webhookRequest } from './forms.ts'
import { driftMessage, type Message } from './message.ts'

const NOW = 1_790_000_000_000
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

const FAILED: Message = {
  event: 'failed',
  at: NOW,
  app: 'shop',
  title: 'shop: the deployment failed in step build',
  commit: '3d7f0c1'.padEnd(40, '0'),
  subject: 'Add the basket',
  asked: 'a push (webhook of github)',
  deployment: '0199',
  error: { code: 'IMAGE_BUILD_FAILED', message: 'RUN make ended with 2', hint: 'Read the log.' },
  next: 'fairlead logs 0199',
}

test('the published vector of Standard Webhooks is signed as published', () => {
  const signed = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1_614_265_330,
    body: '{"test": 2432232314}',
    secret: SECRET,
  }
  assert.equal(timedSignature(signed), 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

test('a webhook is one that a verifier of Standard Webhooks takes, with everything a program needs', () => {
  const request = webhookRequest(addressed(FAILED), { url: 'https://ops.example.org/h', secret: SECRET }, NOW)
  const headers = Object.fromEntries(
    Object.entries(request.headers ?? {}).map(([name, value]) => [name, revealed(value)]),
  )
  const body = Buffer.from(request.body ?? '')
  assert.ok(standard.verify({ headers, body, receivedAt: NOW }, [SECRET]))
  assert.equal(standard.verify({ headers, body: Buffer.from('{}'), receivedAt: NOW }, [SECRET]), false)
  assert.equal(headers['webhook-id'], 'msg_0198-id')
  const { type, timestamp, data } = JSON.parse(request.body ?? '')
  assert.deepEqual([type, timestamp], ['deployment.failed', '2026-09-21T14:13:20.000Z'])
  assert.deepEqual(
    [data.app, data.subject, data.error.hint, data.deployment],
    ['shop', 'Add the basket', 'Read the log.', '0199'],
  )
})

test('a chat message says what, who, why and what to do', () => {
  const text = slackText(FAILED)
  assert.equal(
    text,
    [
      '🔴 *shop: the deployment failed in step build*',
      '*Commit*  `3d7f0c100000 Add the basket`',
      '*Asked by*  `a push (webhook of github)`',
      '*Error*  `RUN make ended with 2`',
      '*What to do*  `Read the log.`',
      '*Next*  `fairlead logs 0199`',
    ].join('\n'),
  )
})

test('foreign words reach nobody’s attention in a chat: no mention, no link, no way out of the code', () => {
  for (const hostile of [
    '<!channel> look',
    '<!here|here>',
    '@channel @all @here',
    '<https://evil.example|click>',
    '` @channel `',
    '``` <!everyone>',
    'a\u202eb\u0000c\u001b[31m',
  ]) {
    const text = slackText({ ...FAILED, subject: hostile, error: { code: 'X', message: hostile, hint: '' } })
    assert.doesNotMatch(text, /<|@(?!\u2060)/)
    assert.doesNotMatch(text, /[\u202e\u0000\u001b]/)
    for (const line of text.split('\n')) {
      assert.ok([0, 2].includes(line.split('`').length - 1), line)
    }
  }
})

test('a mail says the same, and nothing in it makes a header', () => {
  const { subject, text, messageId } = mailOf(
    addressed({
      ...FAILED,
      title: 'shop\r\nBcc: everybody@example.org\u2028x',
      subject: 'one\r\nline',
    }),
  )
  assert.equal(subject, '[Fairlead] shop Bcc: everybody@example.org x')
  assert.match(text, /^Commit: {5}3d7f0c100000 one line$/m)
  assert.match(text, /^What to do: Read the log\.$/m)
  assert.equal(messageId, '<0198-id@fairlead.invalid>')
})

test('drift is told when it begins, ends or is given up, not when it is being repaired', () => {
  const told = ['drifted', 'drift-ended', 'drift-given-up', 'repairing'].map(
    state => driftMessage({ app: 'shop', state, reason: 'it was stopped' }, NOW)?.title,
  )
  assert.deepEqual(told, [
    'shop was changed by hand',
    'shop is again as its last deployment left it',
    'shop was changed by hand again and again; repairing it was given up',
    undefined,
  ])
})

function addressed(message: Message): Addressed {
  return { id: '0198-id', message }
}

function slackText(message: Message): string {
  const request = slackRequest(addressed(message), { url: 'https://hooks.example.org/x' })
  return JSON.parse(request.body ?? '').text
}
