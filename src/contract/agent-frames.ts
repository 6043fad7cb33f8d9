import { type Static, type TObject, Type } from 'typebox'
import { ToldPolicy } from './told-policy.ts'

/**
 * Frames between manager and agent: `{"command": …, "data": …}` text frames.
 * The manager dials; the agent says hello first; nothing else is heard before auth and welcome.
 */
export const PROTOCOL_VERSION = 1
export const SUBPROTOCOL = 'fairlead.v1'
export const AGENT_PATH = '/agent'
export const MAX_FRAME_BYTES = 1024 * 1024
export const EXPORTER_LABEL = 'EXPORTER-fairlead-agent-v1'

export const CLOSE = {
  badFrame: 4400,
  badProof: 4401,
  revoked: 4403,
  authTimeout: 4408,
  busy: 4409,
  takenOver: 4410,
  version: 4426,
  tooMany: 4429,
  internal: 4500,
} as const

const Id = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
})
const Hex64 = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$', maxLength: 512 })
/** Log lines of a command are numbered from 1; 0 is before the first. */
const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
const Port = Type.Integer({ minimum: 1, maximum: 65_535 })
const strict = { additionalProperties: false } as const

/** Bytes, both ways, of whoever talks with a command while it runs. Kept nowhere; after a cut nothing is sent again. */
const Talk = Type.Object(
  { id: Id, data: Type.String({ pattern: '^[A-Za-z0-9+/]+={0,2}$', maxLength: 66_000 }) },
  strict,
)
/** So many bytes of the talk were taken; opens its window again. */
const Heard = Type.Object({ id: Id, bytes: Type.Integer({ minimum: 1, maximum: 262_144 }) }, strict)

const Retry = Type.Union([
  Type.Literal('never'),
  Type.Literal('later'),
  Type.Object({ afterSeconds: Type.Number({ minimum: 0 }) }, strict),
])

const Problem = Type.Object(
  {
    path: Type.String(),
    message: Type.String(),
    expected: Type.Optional(Type.String()),
    file: Type.Optional(Type.String()),
    line: Type.Optional(Type.Integer()),
    column: Type.Optional(Type.Integer()),
  },
  strict,
)

export const WireErrorSchema = Type.Object(
  {
    code: Type.String({ maxLength: 64 }),
    message: Type.String({ maxLength: 16_384 }),
    hint: Type.String({ maxLength: 4_096 }),
    retry: Retry,
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    problems: Type.Optional(Type.Array(Problem, { maxItems: 500 })),
    facts: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  strict,
)

export const LogLine = Type.Object(
  {
    seq: Seq,
    at: Type.Number(),
    stream: Type.Union([Type.Literal('stdout'), Type.Literal('stderr'), Type.Literal('info')]),
    text: Type.String(),
  },
  strict,
)
export type LogLine = Static<typeof LogLine>

/**
 * What the agent knows of a command it has journalled. `interrupted`: it was running when the agent died. `orphaned`: the
 * same, but its program goes on, and so does the command once it is told again with the same id and data.
 */
export const CommandState = Type.Union([
  Type.Literal('running'),
  Type.Literal('orphaned'),
  Type.Literal('succeeded'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
  Type.Literal('interrupted'),
])
export type CommandState = Static<typeof CommandState>

/** Both ways, once a session is open: the certificate that the sender will show next. Answered by rotated. */
const Rotate = Type.Object(
  {
    certificate: Type.String({ maxLength: 8192 }),
    /** The identity key's statement that the certificate is its own. */
    binding: Base64,
    notAfter: Type.String({ maxLength: 32 }),
  },
  strict,
)
/** Both ways: a new key of the sender, signed by the old one and by itself. Answered by succeeds. */
const Successor = Type.Object(
  {
    identity: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 20 }),
    oldSig: Base64,
    newSig: Base64,
  },
  strict,
)
const Succeeds = Type.Object({ keyId: Hex64 }, strict)
/** The certificate with this sha256 is pinned, durably. */
const Rotated = Type.Object({ certificateId: Hex64 }, strict)

/** Agent -> manager. */
export const AGENT_FRAMES = {
  hello: Type.Object(
    {
      v: Type.Array(Type.Integer(), { minItems: 1, maxItems: 8 }),
      agent: Type.String({ minLength: 1, maxLength: 64 }),
      role: Type.Union([Type.Literal('worker'), Type.Literal('guardian')]),
      nonce: Base64,
      time: Type.Number(),
      build: Type.String({ maxLength: 64 }),
    },
    strict,
  ),
  welcome: Type.Object(
    {
      keyId: Hex64,
      sig: Base64,
      epochSeen: Type.Integer({ minimum: 0 }),
      limits: Type.Object(
        { frame: Type.Integer(), inflight: Type.Integer(), window: Type.Integer() },
        strict,
      ),
      capabilities: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 200 }),
      running: Type.Array(Type.Object({ id: Id, seq: Seq, state: CommandState }, strict), {
        maxItems: 10_000,
      }),
      /** Where its proxy listens for visitors of its apps; absent: it has none. */
      visitors: Type.Optional(Type.Object({ httpPort: Port, httpsPort: Port }, strict)),
      /** By which rules it judges files; absent: an older worker, or a guardian. */
      policy: Type.Optional(ToldPolicy),
    },
    strict,
  ),
  /** The command is journalled; lines and result follow. Also the answer to a repeated id. */
  accepted: Type.Object({ id: Id, command: Type.String({ maxLength: 64 }), state: CommandState }, strict),
  /** `dropped`: so many lines right before the first one are gone, the log of the command is bounded. */
  progress: Type.Object(
    { id: Id, lines: Type.Array(LogLine, { minItems: 1, maxItems: 4096 }), dropped: Type.Optional(Seq) },
    strict,
  ),
  /** Nothing to show, still at work. */
  alive: Type.Object({ id: Id }, strict),
  /** `seq`: the last line of the command. */
  result: Type.Object({ id: Id, seq: Seq, data: Type.Unknown() }, strict),
  /** Without id: about a frame, or why the session is about to end. */
  error: Type.Object({ id: Type.Optional(Id), seq: Type.Optional(Seq), error: WireErrorSchema }, strict),
  talk: Talk,
  heard: Heard,
  rotate: Rotate,
  rotated: Rotated,
  successor: Successor,
  /** The manager's successor with this key is pinned, durably: it may connect. */
  succeeds: Succeeds,
} satisfies Record<string, TObject>

/** Manager -> agent, beside the commands themselves (whose data is CommandEnvelope). */
export const MANAGER_FRAMES = {
  auth: Type.Object(
    {
      v: Type.Integer(),
      keyId: Hex64,
      nonce: Base64,
      epoch: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      sig: Base64,
    },
    strict,
  ),
  /** Lines up to seq were stored; opens the window again. After a result: the agent may forget the command's log. */
  ack: Type.Object({ id: Id, seq: Seq }, strict),
  cancel: Type.Object({ id: Id }, strict),
  /** What became of this command? Answered by accepted, then the lines after fromSeq, then its result or error. */
  resume: Type.Object({ id: Id, fromSeq: Seq }, strict),
  /** Say no more about this command; it goes on. */
  leave: Type.Object({ id: Id }, strict),
  talk: Talk,
  heard: Heard,
  /** The window of whoever talks with a command has another size now. */
  resize: Type.Object(
    {
      id: Id,
      columns: Type.Integer({ minimum: 1, maximum: 1_000 }),
      rows: Type.Integer({ minimum: 1, maximum: 1_000 }),
    },
    strict,
  ),
  rotate: Rotate,
  rotated: Rotated,
  /** Make a new key. Answered by successor. */
  rekey: Type.Object({}, strict),
  /** The successor with this key is pinned, durably: it may take over. */
  succeeds: Succeeds,
  /** Told only to agents that name it among their capabilities. */
  successor: Successor,
} satisfies Record<string, TObject>

/** For whom a command is: what rules of the host go by. It changes nothing of what the command does. */
export const CommandOwner = Type.Object(
  {
    app: Type.String({ maxLength: 64 }),
    /** As the manager calls it; absent: the app has none. */
    repository: Type.Optional(Type.String({ maxLength: 64 })),
  },
  strict,
)
export type CommandOwner = Static<typeof CommandOwner>

export const CommandEnvelope = Type.Object(
  {
    id: Id,
    /** ms from now after which the agent ends the command. */
    deadlineMs: Type.Integer({ minimum: 1, maximum: 24 * 3600 * 1000 }),
    /** sha256 of the canonical JSON of params, and of the engine: the same id with other params is a conflict. */
    idem: Hex64,
    params: Type.Unknown(),
    /** Which Docker engine of the host it is about; absent: the host's own. */
    engine: Type.Optional(Type.String({ maxLength: 32 })),
    owner: Type.Optional(CommandOwner),
  },
  strict,
)
export type CommandEnvelope = Static<typeof CommandEnvelope>

export type AgentFrame = {
  [K in keyof typeof AGENT_FRAMES]: { command: K; data: Static<(typeof AGENT_FRAMES)[K]> }
}[keyof typeof AGENT_FRAMES]
export type ManagerFrame = {
  [K in keyof typeof MANAGER_FRAMES]: { command: K; data: Static<(typeof MANAGER_FRAMES)[K]> }
}[keyof typeof MANAGER_FRAMES]
