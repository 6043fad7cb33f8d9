import { isIP } from 'node:net'
import type { TargetBody } from '#contract/rest/notifications.ts'
import type { Verdict } from '#git-hosts/report.ts'
import { isPrivateAddress } from '#lib/private-address.ts'
import { type AddressRules, checkedAddresses } from '#manager/checked-addresses.ts'
import { MAIL_NOT_ENCRYPTED } from './errors.ts'
import type { Mail } from './forms.ts'

type MailTarget = Extract<TargetBody, { kind: 'email' }>

/** A recipient whom the server does not take the mail for, while it takes it for others. */
interface Rejected {
  readonly recipient: string
  readonly answer: string | undefined
}

const PORTS = { starttls: 587, tls: 465, none: 25 } as const
const TIMEOUT_MS = 15_000

/**
 * Hands a mail to a server: encrypted, unless the server is a private one that was allowed. The name is resolved once,
 * and only what was checked is connected to.
 */
export async function sendMail(target: MailTarget, mail: Mail, rules: AddressRules): Promise<Verdict> {
  const addresses = (await checkedAddresses(target.host, rules)).map(({ address }) => address)
  if (target.security === 'none' && !addresses.every(address => isPrivateAddress(address))) {
    throw MAIL_NOT_ENCRYPTED(target.host)
  }
  for (const [index, address] of addresses.entries()) {
    try {
      return verdictOn(await sendTo(address, target, mail))
    } catch (error) {
      // Nobody has heard of the mail yet: another address of the server may answer.
      const isUnheard = (error as { command?: string }).command === 'CONN'
      if (!isUnheard || index === addresses.length - 1) {
        return verdictOf(error)
      }
    }
  }
  return { kind: 'later', reason: 'its name has no address' }
}

async function sendTo(address: string, target: MailTarget, mail: Mail): Promise<readonly Rejected[]> {
  const { host, security = 'starttls', username, password } = target
  // Few managers send mail: who does not should not carry it.
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    host: address,
    port: target.port ?? PORTS[security],
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: {
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(target.ca === undefined ? {} : { ca: target.ca }),
    },
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    const { rejected, rejectedErrors = [] } = await transport.sendMail({
      from: { name: 'Fairlead', address: target.from },
      to: [...target.to],
      subject: mail.subject,
      text: mail.text,
      messageId: mail.messageId,
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
    return rejected.map((recipient, index) => ({ recipient, answer: rejectedErrors[index]?.response }))
  } finally {
    transport.close()
  }
}

/** Sent again it would reach those twice who have it: so a person is told who has not. */
function verdictOn(rejected: readonly Rejected[]): Verdict {
  if (rejected.length === 0) {
    return { kind: 'sent' }
  }
  const each = rejected.map(({ recipient, answer = 'no answer' }) => `${recipient} (${answer})`)
  return { kind: 'refused', reason: plain(`it reached all but ${each.join(', ')}`) }
}

/** Servers say 5xx when trying again changes nothing, 4xx when it may. */
function verdictOf(error: unknown): Verdict {
  const { responseCode, message } = error as { responseCode?: number; message: string }
  const isRefused = responseCode !== undefined && responseCode >= 500
  return { kind: isRefused ? 'refused' : 'later', reason: plain(message) }
}

function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').slice(0, 300)
}
