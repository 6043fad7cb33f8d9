import { TIMED_HEADERS, timedSignature } from '#git-hosts/signature.ts'
import type { HttpRequest } from '#lib/http-request.ts'
import { addressOfPlace } from '#lib/place.ts'
import type { Message } from './message.ts'

/** A message that has its place in the outbox: the same id however often it is sent. */
export interface Addressed {
  readonly id: string
  readonly message: Message
}

/** As Standard Webhooks say: signed over id, time and body, so that nobody can send it again later. Pure. */
export function webhookRequest(
  { id, message }: Addressed,
  { url, secret }: { readonly url: string; readonly secret: string },
  now: number,
): HttpRequest {
  const body = JSON.stringify({
    type: typeOf(message),
    timestamp: new Date(message.at).toISOString(),
    data: dataOf(message),
  })
  const timestamp = Math.floor(now / 1000)
  const messageId = `msg_${id}`
  return {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json',
      [TIMED_HEADERS.delivery]: messageId,
      [TIMED_HEADERS.timestamp]: String(timestamp),
      [TIMED_HEADERS.signature]: timedSignature({ id: messageId, timestamp, body, secret }),
    },
    body,
  }
}

/** For incoming webhooks of Slack and what takes the same. Pure. */
export function slackRequest({ message }: Addressed, { url }: { readonly url: string }): HttpRequest {
  const lines = factsOf(message).map(([name, value, isForeign]) =>
    name === ''
      ? isForeign
        ? `\`\`\`${inertForSlack(value)}\`\`\``
        : inertForSlack(value)
      : `*${name}*  ${isForeign ? `\`${inertForSlack(value)}\`` : inertForSlack(value)}`,
  )
  const text = [`${SIGNS[message.event]} *${inertForSlack(message.title)}*`, ...lines].join('\n')
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text }),
  }
}

export interface Mail {
  readonly subject: string
  readonly text: string
  readonly messageId: string
}

/** Pure. */
export function mailOf({ id, message }: Addressed): Mail {
  const lines = factsOf(message).map(([name, value]) =>
    name === '' ? `\n${inertText(value)}` : `${`${name}:`.padEnd(11)} ${inertLine(value)}`,
  )
  return {
    subject: inertLine(`[Fairlead] ${message.title}`).slice(0, 200),
    text: `${[inertLine(message.title), '', ...lines].join('\n')}\n`,
    messageId: `<${id}@fairlead.invalid>`,
  }
}

function typeOf({ event, app, organisation }: Message): string {
  switch (event) {
    case 'drift':
      return 'app.drift'
    case 'problem':
      return `${app !== undefined ? 'app' : organisation !== undefined ? 'organisation' : 'repository'}.problem`
    case 'test':
      return 'test'
    default:
      return `deployment.${event}`
  }
}

function dataOf({ event: _, at: _at, ...data }: Message): object {
  return data
}

type Fact = readonly [name: string, value: string, isForeign: boolean]

/** What a person wants to know first. Foreign is what others chose the words of. */
function factsOf(message: Message): Fact[] {
  const { commit, subject, asked, error, detail, next } = message
  const facts: (Fact | undefined)[] = [
    commit === undefined
      ? undefined
      : ['Commit', `${commit.slice(0, 12)}${subject === undefined ? '' : ` ${subject}`}`, true],
    asked === undefined ? undefined : ['Asked by', asked, true],
    ...urlsOf(message).map(url => ['Address', url, false] as const),
    error && ['Error', error.message, true],
    error && ['What to do', error.hint, true],
    detail === undefined ? undefined : ['', detail, true],
    next === undefined ? undefined : ['Next', next, true],
  ]
  return facts.filter(fact => fact !== undefined)
}

/** One that was put in line by an earlier version has host names alone. */
function urlsOf({ urls, addresses = [] }: Message): readonly string[] {
  return urls ?? addresses.map(place => addressOfPlace(place))
}

const SIGNS: Readonly<Record<Message['event'], string>> = {
  failed: '🔴',
  recovered: '🟢',
  succeeded: '🟢',
  waiting: '✋',
  drift: '🟠',
  problem: '🟠',
  test: '👋',
}

/** No links, no mentions, no way out of the code that foreign words stand in. */
function inertForSlack(text: string): string {
  return inertText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('`', "'")
    .replaceAll('@', '@\u2060')
}

function inertLine(text: string): string {
  return inertText(text).replace(/\s+/g, ' ').trim()
}

/** Without what moves the cursor, hides itself or turns the direction of writing. */
function inertText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, ' ')
}
