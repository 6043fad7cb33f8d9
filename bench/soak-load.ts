import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sendWebhook } from '#cli/demo/send-webhook.ts'
import type { Session } from '#cli/session.ts'
import type { Contender } from './bench-world.ts'
import { patiently } from './patiently.ts'
import type { Ledger } from './soak-ledger.ts'
import { pageOf } from './tiny-app.ts'

/** Every so many pushes one is cancelled, at any moment until then. */
const CANCEL_EACH = 4
const CANCEL_WITHIN_MS = 1_500
/** Every so many readers of a log one leaves before its end. */
const LEAVE_EACH = 3
const LEAVE_AFTER_MS = 300
const WEBHOOK_EACH_MS = 500
const READER_STAYS_MS = 20_000
const NOTHING = '0'.repeat(40)

export interface Load {
  /** Begins nothing more, and does the work once what has begun is over; the readers of events stay. */
  rest(work: () => Promise<void>): Promise<void>
  /** Throws what has ended one of its loops. */
  check(): void
  /** One more push of each app, and the end of everything that has begun; the pages of the apps by their names. */
  stop(): Promise<ReadonlyMap<string, string>>
}

interface Mix {
  readonly contenders: readonly Contender[]
  readonly ledger: Ledger
}

export function startLoad(session: Session, { contenders, ledger }: Mix): Load {
  const stop = new AbortController()
  const failures: unknown[] = []
  const broken = Promise.withResolvers<void>()
  const { signal } = stop
  const pages = new Map<string, string>()
  const pause = new Pause()
  const loops = [
    ...contenders.map(async contender => {
      pages.set(contender.app.name, await pushAndPush({ session, ledger, signal, pause }, contender))
    }),
    ...contenders.map(contender => tellOfOthers({ session, ledger, signal, pause }, contender)),
    readEvents({ session, ledger, signal, pause }),
  ].map(loop =>
    loop.catch(error => {
      failures.push(error)
      broken.resolve()
    }),
  )
  const check = () => {
    if (failures.length > 0) {
      throw failures[0]
    }
  }
  return {
    check,
    async rest(work) {
      pause.begin()
      try {
        await Promise.race([pause.reached(contenders.length * 2), broken.promise])
        check()
        await work()
      } finally {
        pause.end()
      }
    },
    async stop() {
      stop.abort()
      await Promise.all(loops)
      check()
      return pages
    },
  }
}

interface Loop {
  readonly session: Session
  readonly ledger: Ledger
  /** Aborted: begin nothing new. */
  readonly signal: AbortSignal
  readonly pause: Pause
}

/** Where loops stop between two turns while there is a pause. */
class Pause {
  #over: PromiseWithResolvers<void> | undefined
  #wanted = 0
  #there = 0
  #reached = Promise.withResolvers<void>()

  begin(): void {
    this.#over = Promise.withResolvers()
    this.#reached = Promise.withResolvers()
    this.#there = 0
  }

  /** Resolves when so many have stopped. */
  async reached(wanted: number): Promise<void> {
    this.#wanted = wanted
    this.#tell()
    await this.#reached.promise
  }

  end(): void {
    this.#over?.resolve()
    this.#over = undefined
  }

  /** At the beginning of each turn. */
  async pass(): Promise<void> {
    if (this.#over) {
      this.#there += 1
      this.#tell()
      await this.#over.promise
    }
  }

  #tell(): void {
    if (this.#wanted > 0 && this.#there >= this.#wanted) {
      this.#reached.resolve()
    }
  }
}

/** Each push changes the page; the last one, whose page it gives, is left to go through. */
async function pushAndPush(loop: Loop, contender: Contender): Promise<string> {
  const { session, ledger, signal, pause } = loop
  let before = NOTHING
  for (let push = 1; ; push++) {
    await pause.pass()
    const isLast = signal.aborted
    await writeFile(join(contender.repository.folder, 'app/page'), pageOf(push))
    const after = await contender.repository.commit(`push ${push}`)
    await contender.repository.push()
    const told = { ref: 'refs/heads/main', before, after }
    const ids = await patiently(session, () => sendWebhook(contender.hook, told))
    ledger.accept(ids)
    ledger.count('pushes')
    before = after
    await Promise.all(
      ids.map(async id => {
        const reading = readLog(loop, id, push)
        if (push % CANCEL_EACH === 0 && !isLast) {
          await cancelSoon(loop, id)
        }
        await ledger.ended(id)
        await reading
      }),
    )
    if (isLast) {
      return pageOf(push).trim()
    }
  }
}

async function cancelSoon({ session, ledger }: Loop, id: string): Promise<void> {
  const { client, clock } = session
  await clock.sleep(Math.random() * CANCEL_WITHIN_MS)
  // It may have ended, or the manager may be away: then nothing is cancelled.
  const isCancelled = await client.send('POST', `/deployments/${id}/cancel`).then(
    () => true,
    () => false,
  )
  if (isCancelled) {
    ledger.count('cancellations')
  }
}

/** As somebody who watches does, of whom some go. */
async function readLog({ session, ledger }: Loop, id: string, push: number): Promise<void> {
  const leave = new AbortController()
  const late = session.clock.after(push % LEAVE_EACH === 0 ? LEAVE_AFTER_MS : READER_STAYS_MS, () =>
    leave.abort(),
  )
  try {
    for await (const _line of session.client.events(`/deployments/${id}/log`, leave.signal)) {
      // Only read.
    }
    ledger.count('logs read')
  } catch {
    // It left, or the manager was killed.
  } finally {
    late.close()
  }
}

/** What a Git host tells of branches that nothing is deployed from. */
async function tellOfOthers({ session, ledger, signal, pause }: Loop, { hook }: Contender): Promise<void> {
  for (let call = 0; !signal.aborted; call++) {
    await pause.pass()
    const told = { ref: `refs/heads/topic-${call % 10}`, before: NOTHING, after: 'a'.repeat(40) }
    // 200: ignored, as a branch that no app has.
    await patiently(session, () => sendWebhook(hook, told, 200))
    ledger.count('webhooks for nothing')
    await session.clock.sleep(WEBHOOK_EACH_MS)
  }
}

/** One that stays, as a page in a browser does, and comes again. */
async function readEvents({ session, ledger, signal }: Loop): Promise<void> {
  while (!signal.aborted) {
    const gone = new AbortController()
    const late = session.clock.after(READER_STAYS_MS, () => gone.abort())
    try {
      const leave = AbortSignal.any([signal, gone.signal])
      for await (const _event of session.client.events('/events', leave)) {
        // Only read.
      }
    } catch {
      // Whoever left comes again.
    } finally {
      late.close()
    }
    ledger.count('streams of events')
    await session.clock.sleep(100)
  }
}
