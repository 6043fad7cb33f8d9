import { type Finding, findingText } from '#policy/finding.ts'
import { type Shape, shapeOf } from '#policy/shape.ts'
import type { RenderedService } from './compose-data.ts'
import {
  COMPOSE_BUILD_SECRET_UNSUPPORTED,
  COMPOSE_NOT_ALLOWED,
  COMPOSE_SECRET_IN_BUILD,
} from './compose-errors.ts'

/** All at once, so that a person mends the files in one go. */
export function refuseErrors(findings: readonly Finding[]): void {
  const errors = findings.filter(finding => finding.severity === 'error')
  const first = errors[0]
  if (first) {
    throw COMPOSE_NOT_ALLOWED(errors.length, findingText(first)).with({ problems: problemsOf(errors) })
  }
}

/** As many as an error carries. */
export function problemsOf(findings: readonly Finding[]) {
  return findings.slice(0, 200).map(({ rule, message, fix, severity: _, ...place }) => ({
    ...place,
    message: `${rule} ${message}`,
    expected: fix,
  }))
}

/** What is given to a build as an argument stays in the image. */
export function refuseSecretsInBuilds(
  model: Shape,
  services: Readonly<Record<string, RenderedService>>,
  secrets: Readonly<Record<string, string>>,
): void {
  const values = Object.values(secrets).filter(value => value.length > 0)
  for (const [name, { build }] of Object.entries(services)) {
    if (!build) {
      continue
    }
    const leaky = Object.entries(build.args).find(([, value]) =>
      values.some(secret => value.includes(secret)),
    )
    if (leaky) {
      throw COMPOSE_SECRET_IN_BUILD(name, leaky[0])
    }
    const wanted = shapeOf(shapeOf(shapeOf(model.services)[name]).build).secrets
    for (const entry of Array.isArray(wanted) ? wanted : []) {
      const id = String(shapeOf(entry).target ?? shapeOf(entry).source)
      if (build.secrets[id] === undefined) {
        throw COMPOSE_BUILD_SECRET_UNSUPPORTED(name, id)
      }
    }
  }
}
