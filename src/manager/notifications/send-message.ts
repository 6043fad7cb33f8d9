import type { Verdict } from '#git-hosts/report.ts'
import { judge } from '#git-hosts/report.ts'
import type { Clock } from '#lib/clock.ts'
import type { AddressRules } from '#manager/checked-addresses.ts'
import type { HttpClient } from '#manager/http.ts'
import type { Target } from './channels.ts'
import { type Addressed, mailOf, slackRequest, webhookRequest } from './forms.ts'
import { sendMail } from './send-mail.ts'

export interface MessagingParts {
  readonly clock: Clock
  readonly http: HttpClient
  readonly addressRules: AddressRules
}

const TIMEOUT_MS = 15_000

/** Sends one message to where a channel leads, once. Throws when nobody answers there. */
export async function sendMessage(
  { clock, http, addressRules }: MessagingParts,
  target: Target,
  addressed: Addressed,
): Promise<Verdict> {
  switch (target.kind) {
    case 'webhook':
      return judge(await http.send(webhookRequest(addressed, target, clock.now()), { timeoutMs: TIMEOUT_MS }))
    case 'slack':
      return judge(await http.send(slackRequest(addressed, target), { timeoutMs: TIMEOUT_MS }))
    case 'email':
      return await sendMail(target, mailOf(addressed), addressRules)
  }
}
