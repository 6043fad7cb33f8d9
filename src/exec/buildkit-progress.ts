import { fieldsOf } from './protobuf.ts'

/** What BuildKit reports of a build (moby.buildkit.v1.StatusResponse), only the fields used here. */
export interface BuildStatus {
  readonly vertexes: readonly Vertex[]
  readonly tasks: readonly Task[]
  readonly logs: readonly VertexLog[]
}

/** One step of a build. Reported again whenever its state changes. */
export interface Vertex {
  readonly digest: string
  readonly name: string
  readonly cached: boolean
  /** ms since 1970. */
  readonly started: number | undefined
  readonly completed: number | undefined
  readonly error: string
}

/** A part of a step, such as one layer that is fetched or the naming of the image. */
export interface Task {
  readonly id: string
  readonly vertex: string
  readonly completed: number | undefined
}

export interface VertexLog {
  readonly vertex: string
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Buffer
}

export function decodeStatus(message: Buffer): BuildStatus {
  const vertexes: Vertex[] = []
  const tasks: Task[] = []
  const logs: VertexLog[] = []
  for (const { number, value } of fieldsOf(message)) {
    if (typeof value === 'number') {
      continue
    }
    if (number === 1) {
      vertexes.push(vertexOf(value))
    } else if (number === 2) {
      tasks.push(taskOf(value))
    } else if (number === 3) {
      logs.push(logOf(value))
    }
  }
  return { vertexes, tasks, logs }
}

function vertexOf(message: Buffer): Vertex {
  const fields = byNumber(message)
  return {
    digest: text(fields.get(1)),
    name: text(fields.get(3)),
    cached: fields.get(4) === 1,
    started: time(fields.get(5)),
    completed: time(fields.get(6)),
    error: text(fields.get(7)),
  }
}

function taskOf(message: Buffer): Task {
  const fields = byNumber(message)
  return { id: text(fields.get(1)), vertex: text(fields.get(2)), completed: time(fields.get(8)) }
}

function logOf(message: Buffer): VertexLog {
  const fields = byNumber(message)
  const bytes = fields.get(4)
  return {
    vertex: text(fields.get(1)),
    stream: fields.get(3) === 2 ? 'stderr' : 'stdout',
    bytes: Buffer.isBuffer(bytes) ? bytes : Buffer.alloc(0),
  }
}

function byNumber(message: Buffer): Map<number, number | Buffer> {
  return new Map(Array.from(fieldsOf(message), ({ number, value }) => [number, value]))
}

function text(value: number | Buffer | undefined): string {
  return Buffer.isBuffer(value) ? value.toString('utf8') : ''
}

/** google.protobuf.Timestamp: seconds and nanoseconds. */
function time(value: number | Buffer | undefined): number | undefined {
  if (!Buffer.isBuffer(value)) {
    return undefined
  }
  const fields = byNumber(value)
  return Number(fields.get(1) ?? 0) * 1000 + Number(fields.get(2) ?? 0) / 1e6
}
