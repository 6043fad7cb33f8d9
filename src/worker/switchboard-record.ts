import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import type { PortRange } from '#commands/command.ts'
import { toAddress, toNumber } from '#commands/subnet.ts'
import { check } from '#lib/check.ts'
import { EarlierTarget, earlierWith, markEarlier } from './earlier-targets.ts'
import { type SlotRange, slotRange } from './slot-range.ts'
import { PORTS_FULL, SUBNET_FULL, SWITCHBOARD_UNREADABLE } from './switchboard-errors.ts'

const Port = Type.Integer({ minimum: 1, maximum: 65_535 })
const Slots = Type.Tuple([Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv4' })])
const Entry = Type.Object({
  slots: Type.Optional(Slots),
  /** By engine. */
  ports: Type.Optional(Type.Record(Type.String(), Type.Tuple([Port, Port]))),
  target: Type.Optional(
    Type.Object({
      ip: Type.String({ format: 'ipv4' }),
      deployment: Type.String(),
      since: Type.Number(),
      at: Type.Optional(Type.Object({ ip: Type.String({ format: 'ipv4' }), port: Port, of: Port })),
    }),
  ),
  /** The one that was replaced first comes first. */
  earlier: Type.Optional(Type.Array(EarlierTarget)),
})
const Board = Type.Object({
  version: Type.Literal(1),
  /** Where the search for a free slot goes on: an address that was given back is taken again as late as possible. */
  next: Type.Integer({ minimum: 0 }),
  names: Type.Record(Type.String(), Entry),
})
type Board = Static<typeof Board>
type Entry = Static<typeof Entry>

export type Target = NonNullable<Entry['target']>

/** What the switchboard knows. Each change is on the disk before it resolves and before it can be read. */
export interface SwitchboardRecord {
  target(name: string): Target | undefined
  /** The two addresses of a name, given on first use. */
  slots(name: string): Promise<readonly [string, string]>
  /** The two ports of a name on an engine, given on first use. */
  ports(name: string, engine: string, range: PortRange): Promise<readonly [number, number]>
  /** With `holds`, what the name led to until then stays known. */
  setTarget(name: string, target: Target, holds: boolean): Promise<void>
  /** What served before and is there still. */
  earlier(name: string): readonly EarlierTarget[]
  names(): readonly string[]
  /** undefined: it is gone. One that is kept leaves its place among the two addresses to another one. */
  markEarlier(name: string, deployment: string, state: EarlierTarget['state'] | undefined): Promise<void>
  forget(name: string): Promise<void>
  /** Resolves when no change is under way. */
  settled(): Promise<void>
}

/** Reads what the last run left in the folder, or begins with nothing. */
export async function openRecord(folder: string, subnet: string): Promise<SwitchboardRecord> {
  const range = slotRange(subnet)
  const file = join(folder, 'switchboard.json')
  await mkdir(folder, { recursive: true })
  let board = await readBoard(file)
  let changing: Promise<unknown> = Promise.resolve()

  /** One change after the other; what is in memory is never ahead of the disk. */
  function change<T>(edit: (draft: Board) => T): Promise<T> {
    const done = changing.then(async () => {
      const draft = structuredClone(board)
      const result = edit(draft)
      await writeDurably(folder, file, JSON.stringify(draft, null, 2))
      board = draft
      return result
    })
    changing = done.catch(() => {})
    return done
  }

  return {
    target: name => entryOf(board, name)?.target,
    async slots(name) {
      const given = entryOf(board, name)?.slots
      return given && isInside(range, given)
        ? given
        : change(draft => giveSlots(draft, name, { range, subnet }))
    },
    async ports(name, engine, wanted) {
      const given = entryOf(board, name)?.ports?.[engine]
      return given && areIn(wanted, given)
        ? given
        : change(draft => givePorts(draft, name, { engine, range: wanted }))
    },
    setTarget: (name, target, holds) =>
      change(draft => {
        const { earlier: _, ...entry } = entryOf(draft, name) ?? {}
        const earlier = earlierWith(entryOf(draft, name) ?? {}, target, holds)
        draft.names[name] = { ...entry, target, ...(earlier.length > 0 ? { earlier } : {}) }
      }),
    earlier: name => entryOf(board, name)?.earlier ?? [],
    names: () => Object.keys(board.names),
    markEarlier: (name, deployment, state) =>
      entryOf(board, name)?.earlier?.some(each => each.deployment === deployment)
        ? change(draft => {
            const entry = entryOf(draft, name) ?? {}
            const free = () => freeAddresses(draft, 1, { range, subnet })[0] ?? ''
            draft.names[name] = { ...entry, ...markEarlier(entry, { deployment, state, free }) }
          })
        : Promise.resolve(),
    forget: name =>
      change(draft => {
        delete draft.names[name]
      }),
    async settled() {
      await changing
    },
  }
}

/** Own keys only: nobody is called `constructor` unless it was pointed. */
function entryOf(board: Board, name: string): Entry | undefined {
  return Object.hasOwn(board.names, name) ? board.names[name] : undefined
}

function isInside(range: SlotRange, slots: readonly [string, string]): boolean {
  return slots.every(slot => toNumber(slot) >= range.first && toNumber(slot) <= range.last)
}

function giveSlots(
  draft: Board,
  name: string,
  { range, subnet }: { range: SlotRange; subnet: string },
): readonly [string, string] {
  const given = entryOf(draft, name)?.slots
  if (given && isInside(range, given)) {
    return given
  }
  const [one = '', other = ''] = freeAddresses(draft, 2, { range, subnet })
  const slots: [string, string] = [one, other]
  draft.names[name] = { ...entryOf(draft, name), slots }
  return slots
}

/** Addresses that no name has. */
function freeAddresses(
  draft: Board,
  count: number,
  { range, subnet }: { range: SlotRange; subnet: string },
): string[] {
  const taken = new Set(
    Object.values(draft.names).flatMap(({ slots = [], earlier = [] }) => [
      ...slots,
      ...earlier.map(({ ip }) => ip),
    ]),
  )
  const free: string[] = []
  const size = range.last - range.first + 1
  let at = draft.next >= range.first && draft.next <= range.last ? draft.next : range.first
  for (let tried = 0; tried < size && free.length < count; tried++) {
    const address = toAddress(at)
    if (!taken.has(address)) {
      free.push(address)
    }
    at = at === range.last ? range.first : at + 1
  }
  if (free.length < count) {
    throw SUBNET_FULL(subnet, Object.keys(draft.names).length)
  }
  draft.next = at
  return free
}

function areIn({ from, to }: PortRange, ports: readonly number[]): boolean {
  return ports.every(port => port >= from && port <= to)
}

/** The lowest two that no name has on this engine. */
function givePorts(
  draft: Board,
  name: string,
  { engine, range }: { readonly engine: string; readonly range: PortRange },
): readonly [number, number] {
  const taken = new Set(
    Object.entries(draft.names).flatMap(([other, { ports }]) =>
      other === name ? [] : (ports?.[engine] ?? []),
    ),
  )
  const free: number[] = []
  for (let port = range.from; port <= range.to && free.length < 2; port++) {
    if (!taken.has(port)) {
      free.push(port)
    }
  }
  const [one, other] = free
  if (one === undefined || other === undefined) {
    throw PORTS_FULL(engine, range.from, range.to)
  }
  const entry = entryOf(draft, name)
  draft.names[name] = { ...entry, ports: { ...entry?.ports, [engine]: [one, other] } }
  return [one, other]
}

async function readBoard(file: string): Promise<Board> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      return { version: 1, next: 0, names: {} }
    }
    throw SWITCHBOARD_UNREADABLE(file).with({ cause })
  }
  try {
    return check(Board, JSON.parse(text), 'The record')
  } catch (cause) {
    throw SWITCHBOARD_UNREADABLE(file).with({ cause })
  }
}

/** A new file beside the old, flushed and then renamed: a power cut leaves one of the two, whole. */
async function writeDurably(folder: string, file: string, text: string): Promise<void> {
  const temporary = `${file}.new`
  await writeFlushed(temporary, text)
  await rename(temporary, file)
  await using opened = await open(folder)
  await opened.sync()
}

async function writeFlushed(file: string, text: string): Promise<void> {
  await using opened = await open(file, 'w', 0o600)
  await opened.writeFile(text)
  await opened.sync()
}
