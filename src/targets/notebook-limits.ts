import { type Static, Type } from 'typebox'
import { bytes, Duration, Memory, milliseconds } from './container-settings.ts'
import { NOTEBOOK_OVER_LIMIT } from './setting-errors.ts'

/** The most that a project may ask for, as the administrator has set it up. */
export const NotebookLimits = Type.Object(
  {
    memory: Type.Optional(Memory),
    cpus: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
    pids: Type.Optional(Type.Integer({ minimum: 16 })),
    shm: Type.Optional(Memory),
    /** The longest time without work; with it no project can stay awake for ever. */
    idle: Type.Optional(Duration),
  },
  { additionalProperties: false },
)
export type NotebookLimits = Static<typeof NotebookLimits>

interface Asked<T> {
  /** As nb.yaml calls it. */
  readonly setting: string
  readonly asked: T | undefined
  /** Taken where nothing is asked for, as far as it may be. */
  readonly otherwise: T
  readonly most: T | undefined
}

/** A number that may not be more than the most. */
export function limitedNumber({ setting, asked, otherwise, most }: Asked<number>): number {
  if (asked !== undefined && most !== undefined && asked > most) {
    throw NOTEBOOK_OVER_LIMIT(setting, String(asked), String(most))
  }
  return asked ?? Math.min(otherwise, most ?? otherwise)
}

/** The same of a size such as `2g`, in bytes. */
export function limitedBytes({ setting, asked, otherwise, most }: Asked<string>): number {
  if (asked !== undefined && most !== undefined && bytes(asked) > bytes(most)) {
    throw NOTEBOOK_OVER_LIMIT(setting, asked, most)
  }
  return asked === undefined ? Math.min(bytes(otherwise), bytes(most ?? otherwise)) : bytes(asked)
}

/** The same of a time such as `2h`, in milliseconds; 0 means never, which is more than any. */
export function limitedTime({ setting, asked, otherwise, most }: Asked<string>): number {
  const asMs = (text: string) => milliseconds(text) || Number.POSITIVE_INFINITY
  if (asked !== undefined && most !== undefined && asMs(asked) > asMs(most)) {
    throw NOTEBOOK_OVER_LIMIT(setting, milliseconds(asked) === 0 ? 'never' : asked, most)
  }
  return milliseconds(asked ?? (most !== undefined && asMs(most) < asMs(otherwise) ? most : otherwise))
}
