import { type Static, Type } from 'typebox'
import { type Shape, scalarText, shapeOf } from '#policy/shape.ts'

const strict = { additionalProperties: false } as const

/** A variable that a service has otherwise than before: its name, never a value. */
export const EnvironmentChange = Type.Object(
  { service: Type.String(), name: Type.String(), change: Type.Enum(['added', 'removed', 'changed']) },
  strict,
)
export type EnvironmentChange = Static<typeof EnvironmentChange>

/** Variables of services that are in both configurations. Compared here: no value leaves the host for it. */
export function environmentChanges(before: Shape, after: Shape): EnvironmentChange[] {
  const old = shapeOf(before.services)
  return Object.entries(shapeOf(after.services)).flatMap(([service, value]) => {
    if (old[service] === undefined) {
      return []
    }
    const was = shapeOf(shapeOf(old[service]).environment)
    const is = shapeOf(shapeOf(value).environment)
    const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort()
    return names.flatMap(name => {
      const change = changeOf(scalarText(was[name]), scalarText(is[name]))
      return change ? [{ service, name, change }] : []
    })
  })
}

function changeOf(was: string | undefined, is: string | undefined): EnvironmentChange['change'] | undefined {
  if (was === is) {
    return undefined
  }
  return was === undefined ? 'added' : is === undefined ? 'removed' : 'changed'
}
