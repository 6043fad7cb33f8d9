import { type Static, Type } from 'typebox'
import { defineCommand, type Hands } from './command.ts'
import { enginesOf } from './engine.ts'
import { type Asked, HOST_CHECKS, type HostCheck, runCheck } from './host-checks.ts'
import { handsOn } from './host-engines.ts'
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
    return { checks: await findingsOf(hands, HOST_CHECKS, { registry }), now: hands.clock.now() }
  },
})

/** What each check has found that concerns this host. */
export async function findingsOf(
  hands: Hands,
  checks: readonly HostCheck[],
  asked: Asked,
): Promise<HostChecked['checks']> {
  const places = checks.flatMap(check => placesOf(hands, check).map(on => ({ check, on })))
  const found = await Promise.all(
    places.map(async ({ check, on }) => {
      const finding = await runCheck(on, check, asked)
      return finding ? [{ name: nameOf(check, on), detail: finding.detail, mend: finding.mend ?? null }] : []
    }),
  )
  return found.flat()
}

function placesOf(hands: Hands, { ofEngine }: HostCheck): readonly Hands[] {
  return ofEngine ? enginesOf(hands.host).map(engine => handsOn(hands, engine)) : [hands]
}

function nameOf({ name }: HostCheck, { host }: Hands): string {
  return host.engine ? `${name} ${host.engine.name}` : name
}
