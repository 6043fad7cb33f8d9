import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { WebSocket } from 'ws'
import { systemConsole } from '#commands/system.ts'
import { CONSOLE_CLOSE, type ConsoleEnd, ConsoleQuery, ConsoleSize } from '#contract/rest/console.ts'
import { SystemPath } from '#contract/rest/systems.ts'
import { background } from '#lib/background.ts'
import { problemsOf } from '#lib/check.ts'
import { asFairleadError } from '#lib/errors.ts'
import { newId } from '#lib/id.ts'
import { startHeartbeat } from '#link/heartbeat.ts'
import { Talk } from '#link/talk.ts'
import { readSystem, type SystemRecord } from '#manager/systems/queries.ts'
import { speakerOf } from './authenticate.ts'
import { TOO_MANY_CONSOLES } from './errors.ts'
import { auditLine } from './note-audit.ts'
import { endWithRights } from './open-stream.ts'
import type { ApiParts } from './parts.ts'
import type { Api } from './shape.ts'
import { upgraded } from './upgrades.ts'

/** A worker does 64 things at once at most: consoles leave it most of them. */
const MOST_OF_HOST = 20
const MOST_OF_SPEAKER = 8
/** So much may wait in a socket whose client does not read. */
const MOST_WAITING_BYTES = 256 * 1024
const DAY_MS = 24 * 3_600_000
const HOST_WAIT_MS = 5_000

/** Shells in systems, for browsers and terminals. */
export function consoleRoutes(api: Api, parts: ApiParts): void {
  const open = new Set<{ readonly host: string; readonly speaker: string }>()

  function refuseTooMany(host: string, speaker: string): void {
    const ofHost = [...open].filter(each => each.host === host).length
    const ofSpeaker = [...open].filter(each => each.speaker === speaker).length
    if (ofHost >= MOST_OF_HOST) {
      throw TOO_MANY_CONSOLES(`The host "${host}"`, MOST_OF_HOST)
    }
    if (ofSpeaker >= MOST_OF_SPEAKER) {
      throw TOO_MANY_CONSOLES('Whoever asks', MOST_OF_SPEAKER)
    }
  }

  api.get(
    '/systems/:system/console',
    {
      schema: {
        summary: 'Open a shell of root in a system container, as a WebSocket',
        description:
          'Binary messages are bytes of the terminal, both ways. The client tells the size of its window as a text; the last message is a text that says how it ended.',
        tags: ['systems'],
        params: SystemPath,
        querystring: ConsoleQuery,
        response: { 101: Type.Null() },
      },
    },
    async (request, reply) => {
      const record = await readSystem(parts.db, request.params.system)
      const { columns = 80, rows = 24 } = request.query
      const speaker = speakerOf(request)
      const seat = { host: record.app.host, speaker: speaker.person?.id ?? speaker.tokenId }
      refuseTooMany(seat.host, seat.speaker)
      open.add(seat)
      try {
        const line = auditLine(parts, request)
        await parts.audit.add({ ...line, result: 'asked', status: null })
        const socket = await upgraded(request, reply)
        const ended = sit(parts, request, { socket, record, size: { columns, rows } }).then(status =>
          parts.audit.add({ ...line, result: status < 400 ? 'done' : 'failed', status }),
        )
        background(
          ended.finally(() => open.delete(seat)),
          error => parts.logger.error('audit.not-written', { request: request.id, message: error.message }),
        )
      } catch (error) {
        open.delete(seat)
        throw error
      }
      return reply
    },
  )
}

interface Seat {
  readonly socket: WebSocket
  readonly record: SystemRecord
  readonly size: ConsoleSize
}

/** From the first byte to the last. Gives how it went, as a status. */
async function sit(
  parts: ApiParts,
  request: FastifyRequest,
  { socket, record, size }: Seat,
): Promise<number> {
  const { app } = record
  const talk = new Talk()
  const gone = new AbortController()
  let close: number = CONSOLE_CLOSE.stopping
  const beat = startHeartbeat(socket, { clock: parts.clock })
  socket.on('close', () => gone.abort())
  socket.on('error', () => socket.terminate())
  talk.on('error', () => undefined)
  parts.streams.hold({ signal: gone.signal, end: () => gone.abort() })
  endWithRights(parts, request, {
    signal: gone.signal,
    end: () => {
      close = CONSOLE_CLOSE.rights
      gone.abort()
    },
  })
  join(socket, talk)
  try {
    const told = parts.agents.tell(app.host, {
      id: newId(),
      command: systemConsole.name,
      params: { id: app.id, name: app.name, ...size },
      deadlineMs: DAY_MS,
      waitMs: HOST_WAIT_MS,
      ...{ signal: gone.signal, talk },
    })
    const { exitCode } = (await told) as { exitCode: number | null }
    talk.over()
    await allShown(talk, socket)
    say(socket, { exit_code: exitCode, error: null })
    close = CONSOLE_CLOSE.ended
    return 101
  } catch (caught) {
    if (gone.signal.aborted) {
      return 101
    }
    const { code, message, hint, status } = asFairleadError(caught)
    say(socket, { exit_code: null, error: { code, message, hint } })
    close = CONSOLE_CLOSE.broken
    return status
  } finally {
    gone.abort()
    beat.close()
    talk.destroy()
    socket.close(close)
  }
}

/** Neither side gets more than it takes. */
function join(socket: WebSocket, talk: Talk): void {
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) {
      const size = sizeIn(data)
      if (size) {
        talk.resize(size)
      } else {
        socket.close(CONSOLE_CLOSE.refused)
      }
      return
    }
    if (!talk.write(data)) {
      socket.pause()
    }
  })
  talk.on('drain', () => socket.resume())
  talk.on('data', piece => {
    socket.send(piece, { binary: true }, () => {
      if (socket.bufferedAmount <= MOST_WAITING_BYTES) {
        talk.resume()
      }
    })
    if (socket.bufferedAmount > MOST_WAITING_BYTES) {
      talk.pause()
    }
  })
}

async function allShown(talk: Talk, socket: WebSocket): Promise<void> {
  if (talk.readableEnded || socket.readyState !== socket.OPEN) {
    return
  }
  const { promise, resolve } = Promise.withResolvers<void>()
  talk.once('end', resolve)
  talk.once('close', resolve)
  socket.once('close', resolve)
  await promise
}

function sizeIn(data: Buffer): ConsoleSize | undefined {
  try {
    const size: unknown = JSON.parse(data.toString())
    return problemsOf(ConsoleSize, size).length === 0 ? (size as ConsoleSize) : undefined
  } catch {
    return undefined
  }
}

function say(socket: WebSocket, end: ConsoleEnd): void {
  socket.send(JSON.stringify(end))
}
