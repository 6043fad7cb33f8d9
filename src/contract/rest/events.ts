import { Type } from 'typebox'
import { strict, Time } from './fields.ts'

/** `data` of an event of GET /events; the event's name is its kind, its id can be given as Last-Event-ID. */
export const EventDocument = Type.Object(
  {
    at: Time,
    kind: Type.Enum(['deployment', 'step', 'app', 'repository', 'organisation', 'host']),
    fields: Type.Record(
      Type.String(),
      Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]),
    ),
  },
  strict,
)
