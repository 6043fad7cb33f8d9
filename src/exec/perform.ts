import type { Call, Perform } from './call.ts'
import type { CallContext } from './call-context.ts'
import { performFile } from './files.ts'
import { performGreeting } from './greeting.ts'
import { performLookup } from './lookup.ts'
import { equipped } from './remote-engines.ts'
import { request } from './request.ts'
import { run } from './run.ts'
import { secretsOf } from './shown.ts'
import { startDetached } from './start-detached.ts'

/** Gives commands their hands: every call is performed within this context, and its secrets are redacted from then on. */
export function createPerform(context: CallContext): Perform {
  return async plain => {
    const call = equipped(plain, context.engines)
    context.redactor.add(secretsOf(call))
    return await perform(call, context)
  }
}

async function perform<T>(call: Call<T>, context: CallContext): Promise<T> {
  switch (call.kind) {
    case 'program':
      return run(call, context)
    case 'detached':
      return startDetached(call, context)
    case 'request':
      return request(call, context)
    case 'image-build': {
      // Builds are rare and bring the tar code along: an idle worker does without.
      const { buildImage } = await import('./image-build.ts')
      return buildImage(call, context)
    }
    case 'file':
      return performFile(call, context)
    case 'lookup':
      return performLookup(call)
    case 'greeting':
      return performGreeting(call, context.signal)
    case 'archive': {
      const { performArchive } = await import('./archive.ts')
      return performArchive(call, context)
    }
    case 'terminal': {
      const { performTerminal } = await import('./terminal.ts')
      return performTerminal(call, context)
    }
  }
}
