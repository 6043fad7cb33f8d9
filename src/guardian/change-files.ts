import { join } from 'node:path'
import { type Static, Type } from 'typebox'
import type { FileCall, Perform } from '#exec/call.ts'
import { Opening } from '#firewall/opening.ts'
import { check } from '#lib/check.ts'

const MOST_BYTES = 16 * 1024 * 1024

/** What is wanted of the firewall, with the id of the change that brought it. */
const Change = Type.Object(
  {
    id: Type.String({ pattern: '^[0-9a-f-]{36}$' }),
    openings: Type.Array(Opening),
    /** ms since 1970: unconfirmed by then, it is undone. */
    deadlineAt: Type.Integer(),
  },
  { additionalProperties: false },
)
export type Change = Static<typeof Change>

/**
 * The changes of the firewall on the disk. A change is pending -> confirmed | undone, and each arrow is one renaming of
 * one file: of two processes that decide about a change at once, one wins and the other learns it.
 */
export class ChangeFiles {
  readonly #folder: string
  readonly #perform: Perform

  constructor(folder: string, perform: Perform) {
    this.#folder = folder
    this.#perform = perform
  }

  /** What holds. */
  confirmed(): Promise<Change | undefined> {
    return this.#read(CONFIRMED)
  }

  /** The change that waits for its confirmation, if any. */
  async pending(): Promise<Change | undefined> {
    const names = await this.#perform(
      call({ operation: 'list', path: this.#folder }, ({ names = [] }) => names),
    )
    const name = names.find(each => PENDING.test(each))
    return name === undefined ? undefined : await this.#read(name)
  }

  async begin(change: Change): Promise<void> {
    const path = this.#path(pendingName(change.id))
    await this.#perform(call({ operation: 'write', path, content: JSON.stringify(change) }, () => undefined))
  }

  /** False when it is no longer pending. */
  async confirm(id: string): Promise<boolean> {
    return await this.#move(pendingName(id), CONFIRMED)
  }

  /** False when it is no longer pending: nobody but who gets true puts the old rules back. */
  async takeBack(id: string): Promise<boolean> {
    return await this.#move(pendingName(id), UNDONE)
  }

  async isPending(id: string): Promise<boolean> {
    const path = this.#path(pendingName(id))
    return !(await this.#perform(call({ operation: 'stat', path }, ({ missing }) => missing)))
  }

  /** Made by the program that undoes the change when it is at work. */
  armedFile(id: string): string {
    return this.#path(`armed-${id}`)
  }

  async noteArmed(id: string): Promise<void> {
    const path = this.armedFile(id)
    await this.#perform(call({ operation: 'write', path, content: '' }, () => undefined))
  }

  async forgetArmed(id: string): Promise<void> {
    await this.#perform(call({ operation: 'remove', path: this.armedFile(id) }, () => undefined))
  }

  async #move(from: string, to: string): Promise<boolean> {
    const paths = { path: this.#path(from), to: this.#path(to) }
    return await this.#perform(call({ operation: 'rename', ...paths }, ({ missing }) => !missing))
  }

  async #read(name: string): Promise<Change | undefined> {
    const path = this.#path(name)
    const text = await this.#perform(
      call({ operation: 'read', path, maxBytes: MOST_BYTES }, result => result.text),
    )
    return text === undefined ? undefined : check(Change, JSON.parse(text), path)
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }
}

const CONFIRMED = 'confirmed.json'
const UNDONE = 'undone.json'
const PENDING = /^pending-[0-9a-f-]{36}\.json$/

function pendingName(id: string): string {
  return `pending-${id}.json`
}

type Operation =
  FileCall<unknown> extends infer C ? (C extends unknown ? Omit<C, 'kind' | 'read'> : never) : never

function call<T>(operation: Operation, read: FileCall<T>['read']): FileCall<T> {
  return { kind: 'file', ...operation, read } as FileCall<T>
}
