import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkComposeFiles } from '#policy/compose.ts'
import { rewriteModel } from '#policy/compose-rewrite.ts'
import { longForms } from '#policy/compose-syntax.ts'
import { pathText } from '#policy/finding.ts'
import type { HostRules } from '#policy/rule-context.ts'

/** As on a host without a policy file. */
const RULES: HostRules = {
  mode: 'enforce',
  ports: { from: 1024, to: 65_535, never: [2019, 2375, 2376, 2377, 7400, 7443] },
  registries: [],
}
const PROJECT = { name: 'shop', routes: [], variables: ['DB_PASSWORD', 'TAG'], sockets: [] }
const BEGIN = '<!-- samples: made by "npm run docs" -->'
const END = '<!-- end of samples -->'

/** docs/policy.md with what becomes of each sample of src/policy/samples.txt. */
export function withSamples(page: string, root: string): string {
  const samples = readFileSync(join(root, 'src/policy/samples.txt'), 'utf8').split(/^## /m).slice(1)
  const rows = samples.map(block => {
    const [title = '', ...lines] = block.split('\n')
    return `| ${title} | ${judged(lines.join('\n')).join(' | ')} |`
  })
  const table = ['| sample | refused | changed |', '| --- | --- | --- |', ...rows].join('\n')
  const [before = '', rest = ''] = page.split(BEGIN)
  const [, after = ''] = rest.split(END)
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`
}

function judged(text: string): readonly [refused: string, changed: string] {
  const { files, findings } = checkComposeFiles([{ file: 'compose.yaml', text, folder: '' }], RULES, PROJECT)
  const said = (severity: string) =>
    findings.filter(each => each.severity === severity).map(({ rule, path }) => `${rule} \`${path}\``)
  const errors = said('error')
  if (errors.length > 0) {
    return [errors.join(', '), '']
  }
  const model = longForms(files[0]?.model ?? {})
  const rewritten = rewriteModel(model, { rules: RULES, project: PROJECT }).findings
  const changes = rewritten.map(({ rule, path }) => `${rule} \`${pathText(path)}\``)
  return ['–', [...said('warning'), ...changes].join(', ') || '–']
}
