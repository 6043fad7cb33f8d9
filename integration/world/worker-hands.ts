import { join } from 'node:path'
import type { Hands, HostPolicy } from '#commands/command.ts'
import type { Call } from '#exec/call.ts'
import type { CallContext } from '#exec/call-context.ts'
import { createPerform } from '#exec/perform.ts'
import { systemClock } from '#lib/clock.ts'
import { newId } from '#lib/id.ts'
import { createRedactor } from '#lib/redact.ts'
import type { Secret } from '#lib/secret.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface WorkerHands extends Hands {
  readonly workspace: string
  /** Lines for the deployment's log. */
  readonly said: string[]
  /** The calls so far, in the order in which they were made. */
  readonly calls: Call<unknown>[]
  /** Programs that were started so far, with their subcommand. */
  programs(): string[]
  cancel(): void
}

export interface HandsOptions {
  readonly policy?: Partial<HostPolicy>
  /** Default: a folder of its own. */
  readonly workspace?: string
  /** Changes a call before it is performed, for example its limits. */
  readonly change?: <T>(call: Call<T>) => Call<T>
  /** What names resolve to, instead of asking a resolver. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>
}

const LOOPBACK = ['127.0.0.0/8', '::1/128']

/** What a command gets on a worker: real effects in a workspace of its own, every call written down. */
export async function workerHands(
  world: AsyncDisposableStack,
  { policy = {}, workspace: given, change = call => call, addresses = {} }: HandsOptions = {},
): Promise<WorkerHands> {
  const workspace = given ?? join(await temporaryFolder(world), 'workspace')
  const said: string[] = []
  const calls: Call<unknown>[] = []
  const controller = new AbortController()
  const context: CallContext = {
    clock: systemClock,
    say: text => said.push(text),
    signal: controller.signal,
    redactor: createRedactor(),
    graceMs: 1000,
    workspace,
  }
  const perform = createPerform(context)
  return {
    // As of one command after another.
    get id() {
      return newId()
    },
    workspace,
    said,
    calls,
    programs: () => calls.flatMap(call => (call.kind === 'program' ? [subcommandOf(call.args)] : [])),
    cancel: () => controller.abort(new Error('cancelled')),
    perform: <T>(call: Call<T>) => {
      const changed = change(call)
      calls.push(changed as Call<unknown>)
      const known = changed.kind === 'lookup' ? addresses[changed.host] : undefined
      if (changed.kind === 'lookup' && known) {
        return Promise.resolve(changed.read({ addresses: known }))
      }
      return perform(changed)
    },
    say: (text, stream) => context.say(text, stream),
    signal: controller.signal,
    clock: systemClock,
    host: {
      name: 'test',
      workspace,
      policy: {
        mode: 'enforce',
        ports: { from: 1024, to: 65_535, never: [] },
        allowPrivate: LOOPBACK,
        registries: [],
        ...policy,
      },
    } as Hands['host'],
  }
}

/** `fetch` of `git -c a=b --git-dir=x fetch …` */
function subcommandOf(args: readonly (string | Secret)[]): string {
  const words = args.map(String)
  const skip = (index: number) => words[index - 1] === '-c' || words[index]?.startsWith('-')
  return words.find((_, index) => !skip(index)) ?? ''
}
