import { Locks } from '#agent/locks.ts'
import type { AppliedFirewall, Firewall, SeenFirewall, WantedFirewall } from '#commands/firewall-data.ts'
import { CHANGE_UNDONE, OPENING_FORBIDDEN, RULES_DIFFER } from '#commands/firewall-errors.ts'
import type { DetachedCall, Perform } from '#exec/call.ts'
import { type Bounds, permitted, refusals } from '#firewall/bounds.ts'
import { asOpenings, openPorts } from '#firewall/open-ports.ts'
import { type Opening, writeOpening } from '#firewall/opening.ts'
import { differences, readTable, type SeenTable } from '#firewall/read-table.ts'
import { removeTable, replaceTable, TABLE } from '#firewall/table.ts'
import { unlike } from '#firewall/unlike.ts'
import type { Clock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import type { Logger } from '#lib/logger.ts'
import { listTable, transact } from '#programs/nft.ts'
import { type Change, ChangeFiles } from './change-files.ts'

export interface HostFirewallOptions {
  /** Holds what is wanted. */
  readonly folder: string
  readonly bounds: Bounds
  readonly perform: Perform
  readonly clock: Clock
  readonly logger: Logger
  /** A program that outlives this one and calls undoUnlessConfirmed() after so long. */
  readonly undoer: (change: string, delayMs: number, readyFile: string) => DetachedCall<unknown>
}

const PATIENCE_MS = 2_000
const LONGEST_CHANGE_MS = 600_000
const LOOK_EVERY_MS = 200
/** Until nobody else writes at the same moment. */
const TRIES = 3
/** Of a difference that is told. */
const MOST_DIFFERENCES = 20
const MOST_CHARACTERS = 300

/**
 * The rules of this host. They follow the files: `confirmed` is what holds, a pending change is in force until its
 * deadline, and whoever finds the rules otherwise puts them right.
 */
export class HostFirewall implements Firewall {
  readonly #options: HostFirewallOptions
  readonly #files: ChangeFiles
  readonly #locks = new Locks()
  /** How nft lists what was put there last, and by which change. */
  #put: { readonly change: string; readonly lines: readonly string[] } | undefined
  #repairs = 0
  #repairedAt: number | null = null

  constructor(options: HostFirewallOptions) {
    this.#options = options
    this.#files = new ChangeFiles(options.folder, options.perform)
  }

  observe(): Promise<SeenFirewall> {
    return this.#alone(async () => {
      const [confirmed, pending, seen] = [
        await this.#confirmed(),
        await this.#files.pending(),
        await this.#look(),
      ]
      return {
        confirmed: confirmed ? [...confirmed.openings] : null,
        open: seen ? [...seen.openings] : null,
        kept: [...this.#options.bounds.keep],
        drift: this.#drift(pending ?? confirmed, seen),
        pending: pending?.id ?? null,
        repairs: this.#repairs,
        repairedAt: this.#repairedAt,
      }
    })
  }

  apply({ openings, confirmWithinMs }: WantedFirewall): Promise<AppliedFirewall> {
    const problems = refusals(openings, this.#options.bounds)
    if (problems.length > 0) {
      throw OPENING_FORBIDDEN(problems.map(({ message }) => message).join('; ')).with({ problems })
    }
    return this.#alone(async () => {
      const left = await this.#files.pending()
      if (left) {
        await this.#undo(left.id)
      }
      const confirmed = await this.#confirmed()
      const before = confirmed?.openings ?? []
      if (confirmed && isSame(openings, before) && this.#drift(confirmed, await this.#look()).length === 0) {
        return { opened: [], closed: [] }
      }
      const deadlineAt = this.#options.clock.now() + confirmWithinMs
      const change = { id: newId(), openings: [...openings], deadlineAt }
      await this.#try(change, confirmWithinMs)
      return { change: change.id, opened: notIn(openings, before), closed: notIn(before, openings) }
    })
  }

  confirm(change: string): Promise<void> {
    return this.#alone(async () => {
      const isConfirmed =
        (await this.#files.confirm(change)) || (await this.#files.confirmed())?.id === change
      if (!isConfirmed) {
        throw CHANGE_UNDONE()
      }
      this.#options.logger.info('guardian.confirmed', { change })
    })
  }

  /** Undoes what is overdue, and puts the rules right that somebody changed or a restart of the host took away. */
  keep(): Promise<void> {
    return this.#alone(async () => {
      const pending = await this.#files.pending()
      if (pending) {
        const left = pending.deadlineAt - this.#options.clock.now()
        // Without rules the host was started anew; with too much time its clock went back.
        if (left < -PATIENCE_MS || left > LONGEST_CHANGE_MS || !(await this.#look())) {
          await this.#undo(pending.id)
        }
        return
      }
      const confirmed = await this.#confirmed()
      const drift = this.#drift(confirmed, await this.#look())
      if (drift.length > 0) {
        const isOurs = this.#put?.change !== confirmed?.id
        await this.#restore()
        this.#note(isOurs ? 'guardian.rules-put' : 'guardian.repaired', drift)
      }
    })
  }

  /** For the program that outlives the guardian. */
  async undoUnlessConfirmed(change: string, delayMs: number): Promise<void> {
    const { clock } = this.#options
    await this.#files.noteArmed(change)
    for (const until = clock.monotonic() + delayMs; clock.monotonic() < until; ) {
      await clock.sleep(LOOK_EVERY_MS)
      if (!(await this.#files.isPending(change))) {
        return
      }
    }
    await this.#undo(change)
  }

  /** Puts a change in force and sees to it that it does not stay by itself. */
  async #try(change: Change, delayMs: number): Promise<void> {
    const { perform, clock, undoer } = this.#options
    await this.#files.begin(change)
    try {
      await perform(undoer(change.id, delayMs, this.#files.armedFile(change.id)))
      await this.#enforce(change)
    } catch (error) {
      await this.#undo(change.id)
      throw error
    } finally {
      await this.#files.forgetArmed(change.id)
    }
    clock.after(delayMs + PATIENCE_MS + 1, () => {
      this.keep().catch(error =>
        this.#options.logger.error('guardian.failed-to-keep', { reason: String(error) }),
      )
    })
  }

  /** Nothing when it was confirmed, or undone by somebody else. */
  async #undo(change: string): Promise<void> {
    if (await this.#files.takeBack(change)) {
      await this.#restore()
      this.#options.logger.warn('guardian.undone', { change })
    }
  }

  async #restore(): Promise<void> {
    const confirmed = await this.#confirmed()
    if (confirmed) {
      await this.#enforce(confirmed)
    } else {
      await this.#options.perform(transact(removeTable()))
      this.#put = undefined
    }
  }

  /** And looks whether that, and nothing else, is there now: who writes into the table at that moment must not pass for us. */
  async #enforce(change: Change, tries = TRIES): Promise<void> {
    const { perform, bounds } = this.#options
    const wanted = { openings: [...bounds.keep, ...change.openings], inner: bounds.inner }
    await perform(transact(replaceTable(wanted)))
    const seen = await this.#look()
    const wrong = seen ? unlike(wanted, seen) : ['there are no rules']
    if (seen && wrong.length === 0) {
      this.#put = { change: change.id, lines: seen.lines }
    } else if (tries > 1) {
      await this.#enforce(change, tries - 1)
    } else {
      throw RULES_DIFFER(told(wrong).join('; '))
    }
  }

  /** What holds: not what the owner of the host has forbidden since. */
  async #confirmed(): Promise<Change | undefined> {
    const confirmed = await this.#files.confirmed()
    return confirmed && { ...confirmed, openings: permitted(confirmed.openings, this.#options.bounds) }
  }

  #drift(change: Change | undefined, seen: SeenTable | undefined): string[] {
    if (!change) {
      return seen ? ['there are rules, although none are wanted'] : []
    }
    if (!seen) {
      return ['the rules are gone']
    }
    return this.#put?.change === change.id
      ? told(differences(this.#put.lines, seen.lines))
      : ['the rules are not known to be those that are wanted']
  }

  async #look(): Promise<SeenTable | undefined> {
    const items = await this.#options.perform(listTable(TABLE))
    return items ? readTable(items) : undefined
  }

  #note(event: string, drift: readonly string[]): void {
    const { clock, logger } = this.#options
    if (event === 'guardian.repaired') {
      this.#repairs += 1
      this.#repairedAt = clock.now()
    }
    logger.warn(event, { differences: drift.join('; ') })
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    return this.#locks.run('rules', { run, signal: NEVER })
  }
}

const NEVER = new AbortController().signal

function isSame(one: readonly Opening[], other: readonly Opening[]): boolean {
  const text = (openings: readonly Opening[]) => asOpenings(openPorts(openings)).map(writeOpening).join('\n')
  return text(one) === text(other)
}

function notIn(openings: readonly Opening[], others: readonly Opening[]): string[] {
  const known = asOpenings(openPorts(others)).map(writeOpening)
  return asOpenings(openPorts(openings))
    .map(writeOpening)
    .filter(text => !known.includes(text))
    .map(text => text.slice(0, MOST_CHARACTERS))
}

function told(lines: readonly string[]): string[] {
  return lines.slice(0, MOST_DIFFERENCES).map(line => line.slice(0, MOST_CHARACTERS))
}
