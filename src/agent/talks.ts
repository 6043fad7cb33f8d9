import { Talk } from '#link/talk.ts'
import type { Session } from './session.ts'

/** The talks of one session with commands that are at work. They end with it: nobody else goes on with one. */
export class Talks {
  readonly #session: Session
  readonly #talks = new Map<string, Talk>()

  constructor(session: Session) {
    this.#session = session
  }

  open(id: string): Talk {
    const talk = new Talk({
      say: data => void this.#session.send('talk', { id, data }),
      heard: bytes => void this.#session.send('heard', { id, bytes }),
    })
    // Whoever uses it sees its end; an error is another word for that.
    talk.on('error', () => undefined)
    talk.on('close', () => this.#talks.delete(id))
    this.#talks.set(id, talk)
    return talk
  }

  find(id: string): Talk | undefined {
    return this.#talks.get(id)
  }

  close(): void {
    for (const talk of this.#talks.values()) {
      talk.destroy()
    }
  }
}
