import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import type { Sleeps } from '#commands/command.ts'
import { check } from '#lib/check.ts'
import { randomText } from '#lib/id.ts'
import { writeDurably } from '#link/durable-file.ts'
import { GATE_UNREADABLE } from './gate-errors.ts'

const strict = { additionalProperties: false } as const
const Names = Type.Record(Type.String(), Type.Object({ key: Type.String({ minLength: 43 }) }, strict))
const Tickets = Type.Record(
  Type.String(),
  Type.Object({ name: Type.String(), visitor: Type.String(), until: Type.Integer() }, strict),
)
const Stored = Type.Object(
  {
    version: Type.Literal(1),
    names: Names,
    tickets: Tickets,
    /** Deployment by app. */
    asleep: Type.Record(Type.String(), Type.String()),
    /** Visitors who were shut out, until all that they were given has ended anyhow. */
    expelled: Type.Optional(Type.Record(Type.String(), Type.Integer())),
  },
  strict,
)
type Stored = Static<typeof Stored>

export interface Admission {
  /** sha256 of the ticket, hex: what is kept lets nobody in. */
  readonly ticket: string
  readonly visitor: string
  /** Milliseconds since 1970. */
  readonly until: number
}

/** Keys and tickets of guarded names, and what sleeps behind them, in `gate.json`. Each change is on the disk before it counts. */
export interface GateRecord {
  /** What cookies of the name are signed with; undefined before anybody was let in. */
  key(name: string): string | undefined
  admit(name: string, admission: Admission, now: number): void
  /** Who the ticket is for; it is worth nothing afterwards. */
  spend(name: string, ticket: string, now: number): string | undefined
  /** Ends all visits of the name. */
  forget(name: string): void
  /** `until`: when the last of their visits would end by itself. */
  expel(visitors: readonly string[], span: { readonly now: number; readonly until: number }): void
  isExpelled(visitor: string): boolean
  readonly sleeps: Sleeps
}

/** More than a person can click on. */
const MOST_TICKETS = 1_000

export function openGateRecord(folder: string): GateRecord {
  const file = join(folder, 'gate.json')
  let stored = read(file)

  function write(next: Stored): void {
    writeDurably(file, `${JSON.stringify(next, undefined, 2)}\n`, 0o600)
    stored = next
  }

  return {
    key: name => (Object.hasOwn(stored.names, name) ? stored.names[name]?.key : undefined),
    admit(name, { ticket, visitor, until }, now) {
      const valid = Object.entries(stored.tickets).filter(([, each]) => each.until > now)
      const kept = valid.slice(Math.max(0, valid.length + 1 - MOST_TICKETS))
      write({
        ...stored,
        names: Object.hasOwn(stored.names, name)
          ? stored.names
          : { ...stored.names, [name]: { key: randomText(32) } },
        tickets: { ...Object.fromEntries(kept), [ticket]: { name, visitor, until } },
      })
    },
    spend(name, ticket, now) {
      const found = Object.hasOwn(stored.tickets, ticket) ? stored.tickets[ticket] : undefined
      if (found?.name !== name || found.until <= now) {
        return undefined
      }
      const { [ticket]: _, ...others } = stored.tickets
      write({ ...stored, tickets: others })
      return found.visitor
    },
    forget(name) {
      const { [name]: known, ...others } = stored.names
      if (known) {
        const tickets = Object.entries(stored.tickets).filter(([, each]) => each.name !== name)
        write({ ...stored, names: others, tickets: Object.fromEntries(tickets) })
      }
    },
    expel(visitors, { now, until }) {
      const { expelled = {}, tickets } = stored
      const before = Object.entries(expelled).filter(([, each]) => each > now)
      write({
        ...stored,
        expelled: Object.fromEntries([...before, ...visitors.map(each => [each, until] as const)]),
        tickets: Object.fromEntries(
          Object.entries(tickets).filter(([, { visitor }]) => !visitors.includes(visitor)),
        ),
      })
    },
    isExpelled: visitor => Object.hasOwn(stored.expelled ?? {}, visitor),
    sleeps: {
      of: app => (Object.hasOwn(stored.asleep, app) ? stored.asleep[app] : undefined),
      begin: (app, deployment) => write({ ...stored, asleep: { ...stored.asleep, [app]: deployment } }),
      end(app) {
        const { [app]: deployment, ...others } = stored.asleep
        if (deployment !== undefined) {
          write({ ...stored, asleep: others })
        }
      },
    },
  }
}

function read(file: string): Stored {
  if (!existsSync(file)) {
    return { version: 1, names: {}, tickets: {}, asleep: {} }
  }
  try {
    return check(Stored, JSON.parse(readFileSync(file, 'utf8')), 'The record of the gate')
  } catch (cause) {
    throw GATE_UNREADABLE(file).with({ cause })
  }
}
