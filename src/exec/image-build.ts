import type { Readable } from 'node:stream'
import { FairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { createJsonLines } from './answer-stream.ts'
import { tarOf } from './build-context.ts'
import { buildFailure } from './build-failure.ts'
import { type BuildLog, createBuildLog } from './build-log.ts'
import type { BuildSession } from './buildkit-session.ts'
import type { Engine, ImageBuildCall } from './call.ts'
import type { CallContext } from './call-context.ts'
import { withinLimits } from './deadline.ts'
import { engineError } from './engine-error.ts'
import { ENGINE_BROKE_OFF } from './errors.ts'
import { tarOfFiles } from './packed-files.ts'
import { open } from './request.ts'
import { shown } from './shown.ts'

/** How long the engine may take to accept that a build is cancelled. */
const CANCEL_MS = 5_000

/** Performs an image build with BuildKit in the Docker Engine, live log included; the image is there when it returns. */
export async function buildImage<T>(call: ImageBuildCall<T>, context: CallContext): Promise<T> {
  const { clock, signal, log } = context
  const started = clock.monotonic()
  const outcome = (ok: boolean) =>
    log?.info('image-build.ended', { ok, duration_ms: Math.round(clock.monotonic() - started) })
  try {
    const limits = { call: shown(call), timeoutMs: call.timeoutMs, clock, signal }
    const imageId = await withinLimits(limits, stop => build(call, context, stop))
    outcome(true)
    return call.read({ imageId })
  } catch (error) {
    outcome(false)
    throw error
  }
}

async function build(
  call: ImageBuildCall<unknown>,
  context: CallContext,
  stop: AbortSignal,
): Promise<string> {
  const { socket, tls } = call
  const engine: Engine = { kind: 'docker', socket, ...(tls ? { tls } : {}) }
  const buildId = newId()
  const { context: files, dockerfile } = call
  const tar =
    typeof files === 'string'
      ? await tarOf({ context: files, dockerfile })
      : tarOfFiles(files, call.modifiedMs ?? 0)
  let contextError: unknown
  tar.on('error', error => {
    contextError = error
  })
  let session: BuildSession | undefined
  try {
    session = await sessionFor(call, engine, stop)
    const response = await open({
      engine,
      method: 'POST',
      path: `/build?${queryOf(call, buildId, session?.id)}`,
      headers: { host: 'docker', 'content-type': 'application/x-tar' },
      body: tar,
      signal: stop,
    })
    return await follow(response, call, context)
  } catch (error) {
    if (stop.aborted) {
      await cancel(engine, buildId, context)
      throw stop.reason
    }
    throw engineError(contextError instanceof FairleadError ? contextError : error, engine, shown(call))
  } finally {
    session?.close()
    tar.destroy()
  }
}

/** A build without secrets and credentials needs no session, and the worker no HTTP/2. */
async function sessionFor(
  { secrets, registries }: ImageBuildCall<unknown>,
  engine: Engine,
  stop: AbortSignal,
): Promise<BuildSession | undefined> {
  if (Object.keys(secrets).length === 0 && Object.keys(registries).length === 0) {
    return undefined
  }
  const { openSession } = await import('./buildkit-session.ts')
  return openSession(engine, { secrets, registries }, stop)
}

function queryOf(
  call: ImageBuildCall<unknown>,
  buildId: string,
  session: string | undefined,
): URLSearchParams {
  const query = new URLSearchParams({
    version: '2',
    buildid: buildId,
    dockerfile: call.dockerfile,
    buildargs: JSON.stringify(call.args),
    labels: JSON.stringify(call.labels),
  })
  for (const tag of call.tags) {
    query.append('t', tag)
  }
  if (call.target !== undefined) {
    query.set('target', call.target)
  }
  if (session !== undefined) {
    query.set('session', session)
  }
  return query
}

interface BuildResponse extends Readable {
  readonly statusCode?: number | undefined
}

/** Follows the progress to its end and gives the id of the image. A failure comes as one of the events, not as a status. */
async function follow(
  response: BuildResponse,
  call: ImageBuildCall<unknown>,
  { redactor, say }: CallContext,
): Promise<string> {
  const buildLog = createBuildLog(redactor, say)
  const result: BuildResult = {}
  const lines = createJsonLines(event => take(event as BuildEvent, buildLog, result))
  try {
    for await (const chunk of response) {
      lines.write(chunk as Buffer)
    }
    lines.end()
  } finally {
    buildLog.end()
  }
  if (result.error !== undefined) {
    const message = redactor.text(result.error)
    throw buildFailure({ message, dockerfile: call.dockerfile, ...buildLog.failure() })
  }
  if (result.imageId === undefined) {
    throw ENGINE_BROKE_OFF(shown(call), 'no image at the end of the build')
  }
  return result.imageId
}

interface BuildResult {
  imageId?: string
  error?: string
}

/** The engine's progress; `message` is how it refuses a build before it begins. */
interface BuildEvent {
  readonly id?: string
  readonly aux?: string | { readonly ID?: string }
  readonly error?: string
  readonly errorDetail?: { readonly message?: string }
  readonly message?: string
}

function take(event: BuildEvent, buildLog: BuildLog, result: BuildResult): void {
  const error = event.errorDetail?.message ?? event.error ?? event.message
  if (error !== undefined) {
    result.error = error
  } else if (typeof event.aux === 'string') {
    buildLog.take(Buffer.from(event.aux, 'base64'))
  } else if (event.aux?.ID !== undefined) {
    result.imageId = event.aux.ID
  }
}

/** The closed connection ends the build as well; asking makes sure that it has ended when the call returns. */
async function cancel(engine: Engine, buildId: string, { clock }: CallContext): Promise<void> {
  const limits = { call: 'cancel', timeoutMs: CANCEL_MS, clock, signal: new AbortController().signal }
  await withinLimits(limits, async signal => {
    const headers = { host: 'docker', 'content-length': '0' }
    const response = await open({
      engine,
      method: 'POST',
      path: `/build/cancel?id=${buildId}`,
      headers,
      signal,
    })
    response.resume()
  }).catch(() => {
    // The engine is gone, and the build with it, or it had not begun.
  })
}
