import type { Kysely } from 'kysely'
import { MOST_OPENINGS } from '#commands/firewall-data.ts'
import { OPENING_FORBIDDEN } from '#commands/firewall-errors.ts'
import { MAX_FRAME_BYTES } from '#contract/agent-frames.ts'
import { listNamedBy } from '#firewall/named-list.ts'
import { asOpenings, openPorts } from '#firewall/open-ports.ts'
import { MOST_SOURCES, type Opening, writePorts } from '#firewall/opening.ts'
import type { FairleadError } from '#lib/errors.ts'
import type { Tables } from '#manager/store/tables.ts'
import { withNetworks } from './address-lists.ts'
import { ADDRESSES_TOO_MANY } from './errors.ts'
import { type AppOpening, openingRows } from './openings.ts'

/** A guardian tells what is wanted and what is open in one answer, beside what differs. */
const MOST_BYTES = MAX_FRAME_BYTES * 0.45

/** What of an app's is not opened, and why: its ports are closed, and nobody else's are held up by it. */
export interface RefusedOpening {
  readonly app: string
  readonly error: FairleadError
}

export interface WantedOpenings {
  /** With addresses in place of the names of lists, those of each app by themselves. */
  readonly openings: readonly AppOpening[]
  readonly refused: readonly RefusedOpening[]
}

/** What a guardian is to be told: of more than fits, what was deployed last is left out. */
export async function wantedOpenings(db: Kysely<Tables>, guardian: string): Promise<WantedOpenings> {
  const rows = await openingRows(db, guardian)
  const apps = [...new Set(rows.toSorted(byDeployment).map(({ app }) => app))]
  const openings: AppOpening[] = []
  const refused: RefusedOpening[] = []
  let bytes = 0
  for (const app of apps) {
    const named = rows.filter(row => row.app === app)
    const own = asOpenings(openPorts(await withNetworks(db, named)))
    const size = Buffer.byteLength(JSON.stringify(own))
    const isTooMuch =
      bytes + size > MOST_BYTES ||
      openings.length + own.length > MOST_OPENINGS ||
      own.some(({ sources }) => sources.length > MOST_SOURCES)
    if (isTooMuch) {
      refused.push({ app, error: tooMany(guardian, named, own) })
    } else {
      bytes += size
      openings.push(...own.map(opening => ({ app, ...opening })))
    }
  }
  return { openings, refused }
}

/** What is left when a guardian has said which of these the owner of its host forbids; undefined: it named none. */
export function withoutForbidden(
  openings: readonly AppOpening[],
  { problems = [] }: FairleadError,
): WantedOpenings | undefined {
  const wrong = new Map<AppOpening, string>()
  for (const { path, message } of problems) {
    const opening = openings[Number(/^openings\.(\d+)$/.exec(path)?.[1])]
    if (opening) {
      wrong.set(opening, message)
    }
  }
  const apps = [...new Set([...wrong.keys()].map(({ app }) => app))]
  const refused = apps.map(app => {
    const words = [...wrong].flatMap(([opening, text]) => (opening.app === app ? [text] : []))
    return { app, error: OPENING_FORBIDDEN(words.join('; ')) }
  })
  return refused.length === 0 ? undefined : { openings: openings.filter(each => !wrong.has(each)), refused }
}

function tooMany(guardian: string, named: readonly Opening[], own: readonly Opening[]): FairleadError {
  const lists = [...new Set(named.flatMap(({ sources }) => sources.flatMap(text => listNamedBy(text) ?? [])))]
  return ADDRESSES_TOO_MANY({
    ports: named.map(writePorts).join(', '),
    guardian,
    lists: lists.map(list => `"${list}"`).join(', '),
    networks: own.reduce((sum, { sources }) => sum + sources.length, 0),
  })
}

/** Ids of deployments are in the order of time. */
function byDeployment(one: { readonly deployment: string }, other: { readonly deployment: string }): number {
  return one.deployment < other.deployment ? -1 : one.deployment > other.deployment ? 1 : 0
}
