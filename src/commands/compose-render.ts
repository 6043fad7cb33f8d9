import { type Static, Type } from 'typebox'
import { checkComposeModel, uniqueFindings } from '#policy/compose.ts'
import { rewriteModel } from '#policy/compose-rewrite.ts'
import { placeFindings } from '#policy/compose-text.ts'
import { findingText } from '#policy/finding.ts'
import type { ProjectFacts } from '#policy/rule-context.ts'
import type { Shape } from '#policy/shape.ts'
import { reservedVariables } from '#programs/compose.ts'
import { defineCommand, type Hands } from './command.ts'
import { configure } from './compose-config.ts'
import {
  FindingData,
  ProjectName,
  RenderedService,
  RenderHash,
  RoutePlace,
  RouteWish,
  routeNameOf,
  VariableName,
} from './compose-data.ts'
import { refuseFiles, refuseRoutes } from './compose-elsewhere.ts'
import { EnvironmentChange, environmentChanges } from './compose-environment.ts'
import { COMPOSE_RENDER_GONE, COMPOSE_VARIABLE_RESERVED } from './compose-errors.ts'
import { describeServices, hashOf, OWN_KEY, renderText } from './compose-model.ts'
import { mountByContent } from './compose-mounted.ts'
import { refuseErrors, refuseSecretsInBuilds } from './compose-refuse.ts'
import { checkSources } from './compose-source.ts'
import { keepRender, readRender } from './compose-store.ts'
import { AppName, CommitId } from './container-data.ts'
import { keptFrom } from './engine.ts'
import { RepositoryKey, TreePath } from './image-data.ts'
import { ownNames, refuseForeignNames } from './own-names.ts'
import { sayMode } from './policy-mode.ts'
import { checkoutFolder } from './repository-folders.ts'

const strict = { additionalProperties: false } as const

const RenderData = Type.Object(
  {
    app: AppName,
    project: ProjectName,
    repository: RepositoryKey,
    commit: CommitId,
    files: Type.Array(TreePath, { minItems: 1, maxItems: 10 }),
    /** Variables for `${NAME}` in the files; nothing else is known to them. */
    variables: Type.Record(VariableName, Type.String({ maxLength: 65_536 })),
    secrets: Type.Record(VariableName, Type.String({ secret: true, maxLength: 65_536 })),
    routes: Type.Array(RouteWish, { maxItems: 50 }),
    /** Volumes, or paths in containers, that old and new container may write to at once. */
    sharedVolumes: Type.Array(Type.String({ maxLength: 1_024 }), { maxItems: 100 }),
    /** What runs was rendered as this: the answer says which variables differ. */
    previous: Type.Optional(RenderHash),
    /** For an answer only: nothing that holds values of secrets is kept. */
    preview: Type.Optional(Type.Literal(true)),
  },
  strict,
)
type RenderData = Static<typeof RenderData>

export const RenderResult = Type.Object(
  {
    render: RenderHash,
    services: Type.Record(Type.String(), RenderedService),
    routes: Type.Array(RoutePlace),
    /** Against the previous configuration, while the host has it. */
    environment: Type.Optional(Type.Array(EnvironmentChange)),
    /** What the host changed or ignores. */
    findings: Type.Array(FindingData),
    /** What Compose itself warned of, such as a variable that is not set. */
    warnings: Type.Array(Type.String()),
  },
  strict,
)
export type RenderResult = Static<typeof RenderResult>

export const composeRender = defineCommand({
  name: 'compose.render',
  summary:
    "Merges and checks the Compose files of a commit by the host's policy and keeps what may be deployed.",
  role: 'worker',
  data: RenderData,
  result: RenderResult,
  deadlineMs: 120_000,
  lock: data => `compose-render:${data.project}`,
  run: render,
})

async function render(hands: Hands, data: RenderData): Promise<RenderResult> {
  refuseRoutes(hands.host, data.routes)
  const variables = { ...data.variables, ...data.secrets }
  const reserved = reservedVariables(Object.keys(variables))[0]
  if (reserved !== undefined) {
    throw COMPOSE_VARIABLE_RESERVED(reserved)
  }
  const checkout = checkoutFolder(hands.host.workspace, data.repository, data.commit)
  const project: ProjectFacts = {
    name: data.project,
    routes: data.routes,
    variables: Object.keys(variables),
    sockets: keptFrom(hands.host),
  }
  const wanted = { checkout, commit: data.commit, files: data.files }
  sayMode(hands)
  const sources = await checkSources(hands, wanted, project)
  refuseErrors(sources.findings)
  const merged = await configure(hands, {
    project: data.project,
    wanted,
    sources,
    variables,
    isPreview: data.preview,
  })
  const given = { rules: hands.host.policy, project, files: sources.files }
  const checked = uniqueFindings([...sources.findings, ...checkComposeModel(merged.model, checkout, given)])
  refuseErrors(checked)
  const rewritten = rewriteModel(merged.model, given)
  const mounted = await mountByContent(hands, { ...data, model: rewritten.model, checkout, variables })
  const findings = uniqueFindings([
    ...checked,
    ...placeFindings([...rewritten.findings, ...mounted.findings], sources.files),
  ])
  refuseErrors(findings)
  refuseFiles(hands.host, { mounts: mounted.mounts, hasValues: mounted.valueFiles.size > 0 })
  const services = describeServices(mounted.model, checkout, data.sharedVolumes)
  refuseSecretsInBuilds(mounted.model, services, data.secrets)
  const [routes, environment] = await Promise.all([
    placeRoutes(hands, data),
    comparedWith(hands, data, mounted.model),
    refuseForeignNames(hands, { ...ownNames(data), model: mounted.model }),
  ])
  const { app, repository, commit } = data
  const text = renderText({
    ...mounted.model,
    [OWN_KEY]: { app, routes, mounts: mounted.mounts, source: { repository, commit } },
  })
  if (!data.preview) {
    await keepRender(hands, data.project, { text, valueFiles: mounted.valueFiles })
  }
  tellFindings(hands, [...findings.map(findingText), ...merged.warnings])
  const answer = { render: hashOf(text), services, routes, findings, warnings: [...merged.warnings] }
  return environment ? { ...answer, environment } : answer
}

/** Only for the words of the plan: it does without where the host has lost what ran before. */
async function comparedWith(
  hands: Hands,
  { project, previous }: RenderData,
  model: Shape,
): Promise<EnvironmentChange[] | undefined> {
  if (previous === undefined) {
    return undefined
  }
  try {
    return environmentChanges(await readRender(hands, project, previous), model)
  } catch (error) {
    if (COMPOSE_RENDER_GONE.matches(error)) {
      return undefined
    }
    throw error
  }
}

async function placeRoutes(hands: Hands, { app, routes }: RenderData): Promise<RoutePlace[]> {
  const placed = routes.map(async ({ service, port }) => {
    const name = routeNameOf(service, app)
    const [one, other] = await hands.host.switchboard.slots(name)
    return { service, port, name, slots: [one, other] as [string, string] }
  })
  return Promise.all(placed)
}

function tellFindings(hands: Hands, texts: readonly string[]): void {
  for (const text of texts) {
    hands.say(text, 'info')
  }
}
