import { checkOwnName } from './compose-mounts.ts'
import { isInterpolated } from './compose-syntax.ts'
import type { ModelPath } from './finding.ts'
import { isEscape, isRemote, type RuleContext } from './rule-context.ts'
import { listOf, type Shape, scalarText, shapeOf, shapesOf } from './shape.ts'

/** POL030, POL031: every file that Compose reads or mounts lies in the checkout, and nothing comes from elsewhere. */
export function checkServicePaths(context: RuleContext, path: ModelPath, service: Shape): void {
  for (const [index, entry] of shapesOf(service.env_file).entries()) {
    checkRead(context, [...path, 'env_file', index], entry.path)
  }
  for (const [index, entry] of listOf(service.label_file).entries()) {
    checkRead(context, [...path, 'label_file', index], entry)
  }
  if (service.extends !== undefined && shapeOf(service.extends).file !== undefined) {
    checkRead(context, [...path, 'extends', 'file'], shapeOf(service.extends).file)
  }
}

/** `include` entries of a file as written. */
export function checkIncludes(context: RuleContext, model: Shape): void {
  for (const [index, entry] of shapesOf(model.include).entries()) {
    const at = ['include', index]
    for (const key of ['path', 'project_directory', 'env_file']) {
      const value = entry[key]
      for (const path of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
        checkRead(context, at, path)
      }
    }
  }
}

/** POL031, POL052, POL110 for the top-level secrets and configs. */
export function checkSecretSources(context: RuleContext, model: Shape): void {
  for (const kind of ['secrets', 'configs'] as const) {
    for (const [name, value] of Object.entries(shapeOf(model[kind]))) {
      const source = shapeOf(value)
      checkOwnName(context, [kind, name], source)
      if (source.file !== undefined && source.file !== null) {
        checkRead(context, [kind, name, 'file'], source.file)
      }
      const variable = scalarText(source.environment)
      if (variable !== undefined && !context.project.variables.includes(variable)) {
        context.report.refuse('POL110', [kind, name, 'environment'], {
          message: `the variable "${variable}" is not set for this app.`,
          fix: `Add it to "environment" in the app's settings.`,
        })
      }
    }
  }
}

/** A path that is read while the file is rendered or mounted afterwards. */
export function checkRead(context: RuleContext, at: ModelPath, value: unknown): void {
  const path = scalarText(value)
  if (path === undefined) {
    return
  }
  const where = String(at[0]) === 'include' ? 'include' : 'file'
  if (isRemote(path)) {
    context.report.refuse('POL030', at, {
      message: `remote ${where} "${path}" is not allowed;`,
      fix: 'commit the file to the repository.',
    })
    return
  }
  if (isInterpolated(path) && !path.startsWith('/')) {
    context.report.refuse('POL031', at, {
      message: `"${path}" depends on a variable, so it cannot be checked.`,
      fix: 'Write the path itself.',
    })
    return
  }
  if (context.inCheckout(path) === undefined) {
    context.report.refuse('POL031', at, {
      message: `"${path}" is outside the repository.`,
      fix: isEscape(path) ? 'Move the file into the repository.' : 'Use a path inside the repository (./…).',
    })
  }
}
