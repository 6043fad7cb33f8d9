import { Type } from 'typebox'
import { defineCommand, type Hands } from './command.ts'
import { AppliedFirewall, type Firewall, SeenFirewall, WantedFirewall } from './firewall-data.ts'
import { NO_FIREWALL } from './firewall-errors.ts'

const strict = { additionalProperties: false } as const
const DEADLINE_MS = 60_000

export const firewallObserve = defineCommand({
  name: 'firewall.observe',
  summary:
    'Tells what the firewall of this host lets in, and how its rules differ from those that were put there.',
  role: 'guardian',
  looksOnly: true,
  engineFree: true,
  data: Type.Object({}, strict),
  result: SeenFirewall,
  deadlineMs: DEADLINE_MS,
  run: hands => firewallOf(hands).observe(),
})

export const firewallApply = defineCommand({
  name: 'firewall.apply',
  summary:
    'Opens exactly these ports of this host and closes all others, for as long as the change takes to be confirmed.',
  role: 'guardian',
  engineFree: true,
  data: WantedFirewall,
  result: AppliedFirewall,
  deadlineMs: DEADLINE_MS,
  lock: () => 'firewall',
  async run(hands, wanted) {
    const applied = await firewallOf(hands).apply(wanted)
    applied.opened.forEach(what => void hands.say(`opened ${what}`))
    applied.closed.forEach(what => void hands.say(`closed ${what}`))
    return applied
  },
})

export const firewallConfirm = defineCommand({
  name: 'firewall.confirm',
  summary: 'Lets a change stay: this host was reached over a new connection with it.',
  role: 'guardian',
  engineFree: true,
  data: Type.Object({ change: Type.String({ pattern: '^[0-9a-f-]{36}$' }) }, strict),
  result: Type.Object({}, strict),
  deadlineMs: DEADLINE_MS,
  lock: () => 'firewall',
  async run(hands, { change }) {
    await firewallOf(hands).confirm(change, hands.arrivedAt)
    return {}
  },
})

function firewallOf({ host }: Hands): Firewall {
  if (!host.firewall) {
    throw NO_FIREWALL(host.name)
  }
  return host.firewall
}
