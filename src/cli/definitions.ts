import type { StackDefinitionDocument, StackDefinitionList } from '#contract/rest/stacks.ts'
import { inertLine } from './inert.ts'
import type { Session } from './session.ts'
import { noteUnread, queryOf } from './stack-places.ts'

/** Prints what stacks can be made of, or the options of one definition. */
export async function showDefinitions(
  { client, printer }: Session,
  name: string | undefined,
  { repository }: { readonly repository?: string },
): Promise<void> {
  const path = `/stackDefinitions${queryOf({ repository, fresh: 'true' })}`
  const found = await client.get<StackDefinitionList>(path)
  const items = name === undefined ? found.items : found.items.filter(each => each.name === name)
  printer.answer({ ...found, items })
  if (name !== undefined) {
    for (const each of items) {
      showOptions(printer, each)
    }
  } else {
    printer.table(
      ['definition', 'repository', 'file', 'options', 'stacks'],
      items.map(each => [
        each.name,
        each.repository,
        inertLine(each.file),
        rulesOf(each)
          .map(({ option }) => option)
          .join(', '),
        each.stacks.join(', '),
      ]),
    )
  }
  noteUnread(printer, found)
}

function showOptions(printer: Session['printer'], definition: StackDefinitionDocument): void {
  printer.line(
    `${definition.name} of ${definition.repository}: ${definition.composes.map(each => inertLine(each)).join(', ')}`,
  )
  printer.table(
    ['option', 'type', 'default', 'about'],
    rulesOf(definition).map(({ option, isRequired, rule }) => [
      option,
      String(rule.enum ? rule.enum.join(' | ') : rule.writeOnly ? 'secret' : rule.type),
      isRequired ? '(to be given)' : inertLine(String(rule.default ?? '')),
      inertLine(String(rule.description ?? rule.title ?? ''), 100),
    ]),
  )
  for (const { file, line, message } of definition.problems ?? []) {
    printer.note(printer.colour.yellow(`${file ?? ''}${line === undefined ? '' : `:${line}`} ${message}`))
  }
}

interface ShownRule {
  readonly option: string
  readonly isRequired: boolean
  readonly rule: {
    readonly type?: string
    readonly enum?: readonly unknown[]
    readonly default?: unknown
    readonly title?: string
    readonly description?: string
    readonly writeOnly?: boolean
  }
}

function rulesOf({ options }: StackDefinitionDocument): ShownRule[] {
  const { properties = {}, required = [] } = options as {
    properties?: Record<string, ShownRule['rule']>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([option, rule]) => ({
    option,
    isRequired: required.includes(option) && rule.default === undefined,
    rule,
  }))
}
