import { type Static, Type } from 'typebox'
import { defineCommand } from './command.ts'
import { HOST_CHECKS, runCheck } from './host-checks.ts'
import { RegistryData } from './image-data.ts'

const strict = { additionalProperties: false } as const

const Checked = Type.Object(
  {
    name: Type.String(),
    detail: Type.String(),
    /** What to do; null: it is well. */
    mend: Type.Union([Type.String(), Type.Null()]),
  },
  strict,
)

export const HostChecked = Type.Object(
  {
    checks: Type.Array(Checked),
    /** ms since 1970, by the clock of the host. */
    now: Type.Integer(),
  },
  strict,
)
export type HostChecked = Static<typeof HostChecked>

export const hostCheck = defineCommand({
  name: 'host.check',
  summary: 'Looks for what is wrong with this host, and says how to mend it.',
  role: 'worker',
  looksOnly: true,
  data: Type.Object({ registry: Type.Optional(RegistryData) }, strict),
  result: HostChecked,
  deadlineMs: 120_000,
  async run(hands, { registry }) {
    const found = await Promise.all(
      HOST_CHECKS.map(async check => {
        const finding = await runCheck(hands, check, { registry })
        return finding ? [{ name: check.name, detail: finding.detail, mend: finding.mend ?? null }] : []
      }),
    )
    return { checks: found.flat(), now: hands.clock.now() }
  },
})
