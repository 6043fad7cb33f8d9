import { canonicalJson } from '#lib/canonical-json.ts'
import { checkComposeModel } from './compose.ts'
import { rewriteModel } from './compose-rewrite.ts'
import type { Finding } from './finding.ts'
import type { HostRules, ProjectFacts } from './rule-context.ts'
import { type Shape, shapeOf } from './shape.ts'
import { stackFileOf } from './stack-file.ts'

export interface StoredModel {
  /** As it was deployed: checked and rewritten by the rules of its time, with images in place of builds. */
  readonly model: Shape
  /** Where the files lie that services mount: they count as those of the repository. */
  readonly root: string
  readonly rules: HostRules
  readonly project: ProjectFacts
}

/**
 * What today's rules refuse of a configuration that was made under other ones. The files that it came from are not here,
 * so a finding has no line. Of images and builds nothing is said: those are looked at when they run, and when they are done.
 */
export function checkStoredModel({ model, root, rules, project }: StoredModel): Finding[] {
  const given = { rules, project }
  const checked = checkComposeModel(withoutImages(model), root, { ...given, files: [] })
  return [...checked.filter(({ severity }) => severity === 'error'), ...unguarded(model, given)]
}

function withoutImages(model: Shape): Shape {
  const services = Object.entries(shapeOf(model.services)).map(([name, service]) => {
    const { image: _, build: __, ...rest } = shapeOf(service)
    return [name, rest]
  })
  return { ...model, services: Object.fromEntries(services) }
}

/** Services that were made without what the host adds and takes away by now: a host that only warns lets them run. */
function unguarded(
  model: Shape,
  given: { readonly rules: HostRules; readonly project: ProjectFacts },
): Finding[] {
  if (given.rules.mode !== 'enforce') {
    return []
  }
  // What is changed in every mode is changed on both sides, our own labels among it.
  const [wanted, plain] = (['enforce', 'trusted'] as const).map(mode => {
    const { model: rewritten } = rewriteModel(model, { ...given, rules: { ...given.rules, mode } })
    return given.project.isStack ? asStack(rewritten, given.project) : rewritten
  })
  return Object.keys(shapeOf(model.services)).flatMap(name =>
    serviceText(wanted, name) === serviceText(plain, name)
      ? []
      : [
          {
            rule: 'POL113',
            severity: 'error' as const,
            path: `services.${name}`,
            message: 'was made when this host did not guard what runs as it does now.',
            fix: 'Deploy its commit again: it is rendered anew.',
          },
        ],
  )
}

/** A stack has no words for some of what is added, so that part is compared as Swarm would get it. */
function asStack(model: Shape, { name }: ProjectFacts): Shape {
  return stackFileOf(model, { name, root: '/', secrets: {}, configs: {} }).file
}

function serviceText(model: Shape | undefined, name: string): string {
  return canonicalJson(shapeOf(shapeOf(model?.services)[name]))
}
