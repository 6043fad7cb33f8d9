/** Claims of a verified token, and what a trust asks of them. Pure. */
export type Claims = Readonly<Record<string, unknown>>
export type ClaimRules = Readonly<Record<string, string>>

const NAMES_PROJECT = ['repository', 'repository_id', 'project_path', 'project_id', 'sub']
const NAMES_JOB = ['ref', 'ref_protected', 'environment', 'environment_protected', 'sub']
/** `repo:acme/shop:*`, `project_path:acme/group/shop:ref_type:branch:*`: the project, then the jobs from here on. */
const SUBJECT_OF_ONE = /^[^*:]+:[^*:]+\/[^*:]+:(?<jobs>[^*]*)\*$/
/** Jobs that run for a proposed change, whose code nobody has agreed to yet. A trust has to name them to mean them. */
const OF_PROPOSALS: Readonly<Record<string, RegExp>> = {
  event_name: /^pull_request/,
  pipeline_source: /merge_request|pull_request/,
}

/** Whether a token says what the rules ask: every claim has the value, or begins with it where that ends in `*`. */
export function claimsFit(rules: ClaimRules, claims: Claims): boolean {
  const fits = Object.entries(rules).every(([name, rule]) => valueFits(rule, textOf(claims, name)))
  return fits && !isUnnamedProposal(rules, claims) && !isUnnamedTag(rules, claims)
}

/** Why rules would let in whom nobody meant; undefined when they are narrow enough. */
export function tooWide(rules: ClaimRules): string | undefined {
  const names = Object.keys(rules)
  if (!names.some(name => NAMES_PROJECT.includes(name))) {
    return `no claim names the project (one of ${NAMES_PROJECT.join(', ')}).`
  }
  if (!Object.entries(rules).some(([name, rule]) => NAMES_JOB.includes(name) && saysWhich(name, rule))) {
    return `no claim says which jobs of the project (one of ${NAMES_JOB.join(', ')}, with more than "*").`
  }
  if (rules.sub?.includes('*') && !SUBJECT_OF_ONE.test(rules.sub)) {
    return 'the claim "sub" has a "*" before the ":" that ends the project: other projects would fit as well.'
  }
  const open = names.find(
    name => NAMES_PROJECT.includes(name) && !/^[^*]*(?:\/[^*]*\*?)?$/.test(rules[name] ?? ''),
  )
  return open === undefined
    ? undefined
    : `"${open}" with a "*" before the first "/" stands for the projects of strangers as well.`
}

/** What a job says of itself, for the person who has to find out why it is not trusted. */
export function shownClaims(claims: Claims): string {
  return SHOWN.flatMap(name => {
    const text = textOf(claims, name)
    return text === undefined ? [] : [`${name}=${text.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)}`]
  }).join(', ')
}

const SHOWN = [
  'sub',
  'repository',
  'repository_id',
  'project_path',
  'project_id',
  'ref',
  'ref_type',
  'ref_protected',
  'environment',
  'event_name',
  'pipeline_source',
]

function valueFits(rule: string, text: string | undefined): boolean {
  if (text === undefined) {
    return false
  }
  return rule.endsWith('*') ? text.startsWith(rule.slice(0, -1)) : text === rule
}

/** `*` alone stands for every job there is, and so does the subject of a project with nothing behind the project. */
function saysWhich(name: string, rule: string): boolean {
  return name === 'sub' && rule.includes('*')
    ? SUBJECT_OF_ONE.exec(rule)?.groups?.jobs !== ''
    : /[^*]/.test(rule)
}

/**
 * GitLab gives a tag and a branch of the same name the same `ref`, and often more people may make tags. A short name
 * means the branch; a whole one (`refs/tags/…`) says itself what it means.
 */
function isUnnamedTag(rules: ClaimRules, claims: Claims): boolean {
  const { ref } = rules
  if (ref === undefined || 'ref_type' in rules || ref.startsWith('refs/tags/')) {
    return false
  }
  const type = textOf(claims, 'ref_type')
  return ref.startsWith('refs/') ? type === 'tag' : type !== 'branch'
}

function isUnnamedProposal(rules: ClaimRules, claims: Claims): boolean {
  return Object.entries(OF_PROPOSALS).some(
    ([name, proposal]) => !(name in rules) && proposal.test(textOf(claims, name) ?? ''),
  )
}

function textOf(claims: Claims, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined
}
