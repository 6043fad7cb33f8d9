import { type Static, Type } from 'typebox'
import { Opening } from '#firewall/opening.ts'

const strict = { additionalProperties: false } as const

/** Of a guardian. */
export const MOST_OPENINGS = 2_000

/** The openings of a host, all of them: what is not among them is closed. */
export const WantedFirewall = Type.Object(
  {
    openings: Type.Array(Opening, { maxItems: MOST_OPENINGS }),
    /** Without a confirmation within this time the rules of before come back. */
    confirmWithinMs: Type.Integer({ minimum: 1_000, maximum: 600_000 }),
  },
  strict,
)
export type WantedFirewall = Static<typeof WantedFirewall>

export const AppliedFirewall = Type.Object(
  {
    /** Of the change, which is to be confirmed; absent: all was as wanted, and there is nothing to confirm. */
    change: Type.Optional(Type.String()),
    /** In words, as `tcp 8080 from everybody`. */
    opened: Type.Array(Type.String()),
    closed: Type.Array(Type.String()),
  },
  strict,
)
export type AppliedFirewall = Static<typeof AppliedFirewall>

export const SeenFirewall = Type.Object(
  {
    /** What managers wanted last and confirmed; null: no manager has wanted anything yet, and the host is not guarded. */
    confirmed: Type.Union([Type.Array(Opening), Type.Null()]),
    /** What the rules of the host really let in, with what its owner keeps open; null: there are no rules of ours. */
    open: Type.Union([Type.Array(Opening), Type.Null()]),
    /** What the owner of the host keeps open whatever managers want. */
    kept: Type.Array(Opening),
    /** How the rules differ from those that were put there; empty: not at all. */
    drift: Type.Array(Type.String()),
    /** A change that waits for its confirmation. */
    pending: Type.Union([Type.String(), Type.Null()]),
    /** How often the rules were put right since the guardian was started, and when last (ms since 1970). */
    repairs: Type.Integer(),
    repairedAt: Type.Union([Type.Integer(), Type.Null()]),
  },
  strict,
)
export type SeenFirewall = Static<typeof SeenFirewall>

/** The rules of a host, as its guardian keeps them. */
export interface Firewall {
  observe(): Promise<SeenFirewall>
  /** Refuses what the owner of the host forbids. */
  apply(wanted: WantedFirewall): Promise<AppliedFirewall>
  /**
   * Throws when the change is no longer there to be confirmed, or when the connection is older than it. `arrivedAt`: when
   * the connection that it is told over was made, in milliseconds of the monotonic clock.
   */
  confirm(change: string, arrivedAt?: number): Promise<void>
}
