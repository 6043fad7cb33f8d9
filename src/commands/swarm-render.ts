import { type Static, Type } from 'typebox'
import { checkComposeModel, uniqueFindings } from '#policy/compose.ts'
import { rewriteModel } from '#policy/compose-rewrite.ts'
import { placeFindings } from '#policy/compose-text.ts'
import { findingText } from '#policy/finding.ts'
import type { ProjectFacts } from '#policy/rule-context.ts'
import { type Shape, scalarText, shapeOf } from '#policy/shape.ts'
import { stackFileOf } from '#policy/stack-file.ts'
import { reservedVariables } from '#programs/compose.ts'
import { listImages } from '#programs/docker-images.ts'
import { isAllowedHere } from './built-here.ts'
import { defineCommand, type Hands } from './command.ts'
import { configure } from './compose-config.ts'
import { VariableName } from './compose-data.ts'
import { COMPOSE_VARIABLE_RESERVED } from './compose-errors.ts'
import { describeServices, hashOf, OWN_KEY, renderText, VARIABLE_KEY } from './compose-model.ts'
import { refuseErrors, refuseSecretsInBuilds } from './compose-refuse.ts'
import { checkSources } from './compose-source.ts'
import { keepRender, readOwner } from './compose-store.ts'
import { AppName, CommitId, LABEL } from './container-data.ts'
import { keptFrom } from './engine.ts'
import { RepositoryKey, TreePath } from './image-data.ts'
import { refuseForeignNames } from './own-names.ts'
import { sayMode } from './policy-mode.ts'
import { checkoutFolder } from './repository-folders.ts'
import { readContents } from './swarm-contents.ts'
import { StackName, StackRender } from './swarm-data.ts'
import { SWARM_STACK_TAKEN } from './swarm-errors.ts'
import { describeStack } from './swarm-model.ts'
import { shelfOf } from './swarm-shelves.ts'

const strict = { additionalProperties: false } as const

const RenderData = Type.Object(
  {
    app: AppName,
    stack: StackName,
    repository: RepositoryKey,
    commit: CommitId,
    files: Type.Array(TreePath, { minItems: 1, maxItems: 10 }),
    /** Variables for `${NAME}` in the files; nothing else is known to them. */
    variables: Type.Record(VariableName, Type.String({ maxLength: 65_536 })),
    secrets: Type.Record(VariableName, Type.String({ secret: true, maxLength: 65_536 })),
    /** For an answer only: nothing that holds values of secrets is kept. */
    preview: Type.Optional(Type.Literal(true)),
  },
  strict,
)
type RenderData = Static<typeof RenderData>

export const swarmRender = defineCommand({
  name: 'swarm.render',
  summary:
    "Merges and checks the Compose files of a commit by the host's policy and turns them into a stack for a swarm.",
  role: 'worker',
  data: RenderData,
  result: StackRender,
  deadlineMs: 120_000,
  lock: data => `compose-render:${data.stack}`,
  run: render,
})

async function render(hands: Hands, data: RenderData): Promise<Static<typeof StackRender>> {
  const { app, stack, repository, commit } = data
  const shelf = shelfOf(hands.host, stack)
  const owner = await readOwner(hands, shelf)
  if (owner && owner.app !== app && !owner.hasLeft) {
    throw SWARM_STACK_TAKEN(stack, owner.app)
  }
  const variables = { ...data.variables, ...data.secrets }
  const reserved = reservedVariables(Object.keys(variables))[0]
  if (reserved !== undefined) {
    throw COMPOSE_VARIABLE_RESERVED(reserved)
  }
  const checkout = checkoutFolder(hands.host.workspace, repository, commit)
  const project: ProjectFacts = {
    name: stack,
    routes: [],
    variables: Object.keys(variables),
    sockets: keptFrom(hands.host),
    ownImages: await ownImages(hands),
    isStack: true,
  }
  const wanted = { checkout, commit, files: data.files }
  sayMode(hands)
  const sources = await checkSources(hands, wanted, project)
  refuseErrors(sources.findings)
  const merged = await configure(hands, {
    project: stack,
    shelf,
    wanted,
    sources,
    variables,
    isPreview: data.preview,
  })
  const given = { rules: hands.host.policy, project, files: sources.files }
  const checked = uniqueFindings([...sources.findings, ...checkComposeModel(merged.model, checkout, given)])
  refuseErrors(checked)
  const rewritten = rewriteModel(merged.model, given)
  const contents = await readContents(hands, { stack, model: rewritten.model, checkout, variables })
  const { file, findings: turned } = stackFileOf(rewritten.model, {
    name: stack,
    root: checkout,
    secrets: namesOf(contents.secrets),
    configs: namesOf(contents.configs),
  })
  const findings = uniqueFindings([
    ...checked,
    ...placeFindings([...rewritten.findings, ...turned], sources.files),
  ])
  refuseErrors(findings)
  await refuseForeignNames(hands, { app, name: stack, kind: 'stack', shelf, model: file })
  const named = withVariables(rewritten.model)
  const composed = describeServices(named, checkout, [])
  refuseSecretsInBuilds(named, composed, data.secrets)
  const text = renderText({
    ...file,
    [OWN_KEY]: {
      ...{ app, routes: [], mounts: {}, source: { repository, commit } },
      ...{ ...contents, isFinal: false },
    },
  })
  if (!data.preview) {
    await keepRender(hands, shelf, { text })
  }
  for (const said of [...findings.map(findingText), ...merged.warnings]) {
    hands.say(said, 'info')
  }
  return {
    render: hashOf(text),
    services: describeStack(file, composed),
    findings,
    warnings: [...merged.warnings],
  }
}

/** Where images may come from some registries only, those that were built here come from none. */
async function ownImages(hands: Hands): Promise<readonly string[]> {
  const { dockerSocket, policy } = hands.host
  if (policy.registries.length === 0) {
    return []
  }
  const labelled = await hands.perform(listImages(dockerSocket, [LABEL.app]))
  // Whether a registry may be used is asked of the name; here it is only what was built.
  const own = await Promise.all(labelled.map(image => isAllowedHere(hands, image.id, image)))
  return labelled.flatMap(({ tags }, index) => (own[index] ? tags : []))
}

function namesOf(contents: Readonly<Record<string, { readonly name: string }>>): Record<string, string> {
  return Object.fromEntries(Object.entries(contents).map(([key, { name }]) => [key, name]))
}

/** A build names its secrets by the variables that they come from. */
function withVariables(model: Shape): Shape {
  const secrets = Object.entries(shapeOf(model.secrets)).map(([key, value]) => {
    const variable = scalarText(shapeOf(value).environment)
    return [key, variable === undefined ? value : { ...shapeOf(value), [VARIABLE_KEY]: variable }]
  })
  return { ...model, secrets: Object.fromEntries(secrets) }
}
