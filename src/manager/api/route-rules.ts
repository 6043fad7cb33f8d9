import type { RoleName } from '#contract/rest/people.ts'
import type { ItemKind } from '#contract/rest/projects.ts'

/**
 * Where a role has to hold. everywhere: for the whole manager; own: it concerns who asks, and whoever has a token or a
 * session may; somewhere: a list, of which everybody sees what a role somewhere shows. The others: where that thing
 * belongs, which the path names, or the body.
 */
type Where =
  | 'everywhere'
  | 'own'
  | 'somewhere'
  | 'app'
  | 'system'
  | 'repository'
  | 'repository of the body'
  | 'service of the body'
  | 'deployment'
  | 'artifact'
  | 'notebook'
  | 'project'

export interface RouteRule {
  readonly needs: RoleName
  readonly where: Where
  /** Of a list: what each of its items belongs to, and which of its fields names that. */
  readonly items?: { readonly kind: ItemKind; readonly key: string }
}

const everywhere = (needs: RoleName): RouteRule => ({ needs, where: 'everywhere' })
const on = (where: Where, needs: RoleName): RouteRule => ({ needs, where })
const listed = (kind: ItemKind, key: string): RouteRule => ({
  needs: 'viewer',
  where: 'somewhere',
  items: { kind, key },
})
const OWN: RouteRule = { needs: 'viewer', where: 'own' }

/** What every route behind the authentication needs. A route that is missing here is for admins alone. */
export const ROUTE_RULES: Readonly<Record<string, RouteRule>> = {
  'GET /metrics': everywhere('viewer'),
  'GET /api/v1/me': OWN,
  'POST /api/v1/sign-out': OWN,
  'GET /api/v1/me/sessions': OWN,
  'DELETE /api/v1/me/sessions/:session': OWN,
  'POST /api/v1/me/password': OWN,
  'POST /api/v1/me/two-factor': OWN,
  'POST /api/v1/me/two-factor/confirm': OWN,
  'POST /api/v1/me/two-factor/recovery-codes': OWN,
  'POST /api/v1/me/two-factor/remove': OWN,
  'GET /api/v1/me/passkeys': OWN,
  'POST /api/v1/me/passkeys/begin': OWN,
  'POST /api/v1/me/passkeys': OWN,
  'DELETE /api/v1/me/passkeys/:passkey': OWN,
  'DELETE /api/v1/people/:person/two-factor': everywhere('admin'),
  'GET /api/v1/sign-in-rules': everywhere('admin'),
  'PUT /api/v1/sign-in-rules': everywhere('admin'),
  'GET /api/v1/providers': everywhere('admin'),
  'PUT /api/v1/providers/:provider': everywhere('admin'),
  'DELETE /api/v1/providers/:provider': everywhere('admin'),
  'POST /api/v1/first-start/code': everywhere('admin'),
  'GET /api/v1/targets': OWN,
  'GET /api/v1/people': everywhere('admin'),
  'POST /api/v1/people': everywhere('admin'),
  'PATCH /api/v1/people/:person': everywhere('admin'),
  'DELETE /api/v1/people/:person': everywhere('admin'),
  'POST /api/v1/people/:person/invitation': everywhere('admin'),
  'GET /api/v1/tokens': OWN,
  'POST /api/v1/tokens': OWN,
  'DELETE /api/v1/tokens/:token': OWN,
  'GET /api/v1/projects': OWN,
  'POST /api/v1/projects': everywhere('admin'),
  'GET /api/v1/projects/:project': on('project', 'viewer'),
  'DELETE /api/v1/projects/:project': everywhere('admin'),
  'PUT /api/v1/projects/:project/members': on('project', 'admin'),
  'PUT /api/v1/projects/:project/items': everywhere('admin'),
  'DELETE /api/v1/projects/:project/items/:kind/:name': everywhere('admin'),

  'GET /api/v1/apps': listed('app', 'name'),
  'POST /api/v1/apps': on('repository of the body', 'maintainer'),
  'GET /api/v1/apps/:app': on('app', 'viewer'),
  'PATCH /api/v1/apps/:app': on('app', 'maintainer'),
  'PUT /api/v1/apps/:app/owner': on('app', 'admin'),
  'DELETE /api/v1/apps/:app': on('app', 'maintainer'),
  'POST /api/v1/apps/:app/resume': on('app', 'deployer'),
  'GET /api/v1/apps/:app/releases': on('app', 'viewer'),
  'POST /api/v1/apps/:app/deploy': on('app', 'deployer'),
  'POST /api/v1/apps/:app/rollback': on('app', 'deployer'),
  'POST /api/v1/apps/:app/plan': on('app', 'deployer'),
  'POST /api/v1/apps/:app/visits': on('app', 'viewer'),
  'GET /api/v1/apps/:app/containers': on('app', 'viewer'),
  'GET /api/v1/apps/:app/drift': on('app', 'viewer'),
  'GET /api/v1/apps/:app/logs': on('app', 'viewer'),
  'GET /api/v1/apps/:app/usage': on('app', 'viewer'),
  'GET /api/v1/apps/:app/secrets': on('app', 'deployer'),
  'PUT /api/v1/apps/:app/secrets/:name': on('app', 'maintainer'),
  'DELETE /api/v1/apps/:app/secrets/:name': on('app', 'maintainer'),
  'GET /api/v1/repositories/:repository/secrets': on('repository', 'deployer'),
  'PUT /api/v1/repositories/:repository/secrets/:name': on('repository', 'maintainer'),
  'DELETE /api/v1/repositories/:repository/secrets/:name': on('repository', 'maintainer'),
  'GET /api/v1/repositories/:repository/recipient': on('repository', 'deployer'),
  'POST /api/v1/repositories/:repository/recipient': on('repository', 'maintainer'),
  'GET /api/v1/hosts/:host/secrets': everywhere('maintainer'),
  'PUT /api/v1/hosts/:host/secrets/:name': everywhere('admin'),
  'DELETE /api/v1/hosts/:host/secrets/:name': everywhere('admin'),

  'GET /api/v1/deployments': listed('app', 'app'),
  'GET /api/v1/deployments/:id': on('deployment', 'viewer'),
  'GET /api/v1/deployments/:id/log': on('deployment', 'viewer'),
  'GET /api/v1/deployments/:id/result.json': on('deployment', 'viewer'),
  'POST /api/v1/deployments/:id/approve': on('deployment', 'maintainer'),
  'POST /api/v1/deployments/:id/cancel': on('deployment', 'deployer'),
  'GET /api/v1/artifacts': listed('app', 'app'),
  'POST /api/v1/artifacts': on('service of the body', 'deployer'),
  'GET /api/v1/artifacts/:id': on('artifact', 'viewer'),
  'DELETE /api/v1/artifacts/:id': on('artifact', 'maintainer'),
  'GET /api/v1/artifacts/:id/:kind': on('artifact', 'viewer'),
  'GET /api/v1/service-names': listed('repository', 'repository'),
  'PUT /api/v1/service-names/:name': everywhere('maintainer'),
  'DELETE /api/v1/service-names/:name': everywhere('maintainer'),
  'GET /api/v1/notebooks': listed('repository', 'repository'),
  'GET /api/v1/notebooks/:notebook': on('notebook', 'viewer'),
  'GET /api/v1/notebooks/:notebook/thumbnail': on('notebook', 'viewer'),
  'GET /api/v1/notebooks/:notebook/packages': on('notebook', 'viewer'),
  'GET /preview/:notebook/*': on('notebook', 'viewer'),
  'GET /preview/:notebook/log': on('notebook', 'viewer'),

  'GET /api/v1/repositories': listed('repository', 'name'),
  'POST /api/v1/repositories': everywhere('maintainer'),
  'GET /api/v1/repositories/:repository': on('repository', 'viewer'),
  'PATCH /api/v1/repositories/:repository': on('repository', 'maintainer'),
  'DELETE /api/v1/repositories/:repository': on('repository', 'maintainer'),
  'POST /api/v1/repositories/:repository/check': on('repository', 'maintainer'),
  'POST /api/v1/repositories/:repository/webhook-secret': on('repository', 'maintainer'),
  'GET /api/v1/repositories/:repository/results/:commit': on('repository', 'viewer'),
  'GET /api/v1/repositories/:repository/removals': on('repository', 'viewer'),
  'POST /api/v1/repositories/:repository/removals': on('repository', 'maintainer'),
  'GET /api/v1/organisations': everywhere('viewer'),
  'POST /api/v1/organisations': everywhere('admin'),
  'GET /api/v1/organisations/:organisation': everywhere('viewer'),
  'PATCH /api/v1/organisations/:organisation': everywhere('admin'),
  'DELETE /api/v1/organisations/:organisation': everywhere('admin'),
  'POST /api/v1/organisations/:organisation/check': everywhere('maintainer'),
  'GET /api/v1/notifications': everywhere('maintainer'),
  'POST /api/v1/notifications': everywhere('admin'),
  'GET /api/v1/notifications/:channel': everywhere('maintainer'),
  'PATCH /api/v1/notifications/:channel': everywhere('admin'),
  'DELETE /api/v1/notifications/:channel': everywhere('admin'),
  'POST /api/v1/notifications/:channel/test': everywhere('maintainer'),
  'GET /api/v1/stacks': everywhere('viewer'),
  'POST /api/v1/stacks': everywhere('maintainer'),
  'GET /api/v1/stackDefinitions': everywhere('viewer'),
  'GET /api/v1/images': everywhere('viewer'),
  'PUT /api/v1/stacks/:stack': everywhere('maintainer'),
  'DELETE /api/v1/stacks/:stack': everywhere('maintainer'),

  'GET /api/v1/hosts': everywhere('viewer'),
  'POST /api/v1/hosts': everywhere('admin'),
  'GET /api/v1/hosts/manager-identity': everywhere('viewer'),
  'GET /api/v1/hosts/:host/checks': everywhere('viewer'),
  'POST /api/v1/hosts/:host/prune': everywhere('admin'),
  'POST /api/v1/hosts/:host/rekey': everywhere('admin'),
  'DELETE /api/v1/hosts/:host': everywhere('admin'),
  'POST /api/v1/join-tokens': everywhere('admin'),
  'GET /api/v1/join-tokens': everywhere('admin'),
  'DELETE /api/v1/join-tokens/:id': everywhere('admin'),
  'GET /api/v1/firewall': everywhere('viewer'),
  'GET /api/v1/firewall/lists': everywhere('viewer'),
  'GET /api/v1/firewall/lists/:list': everywhere('viewer'),
  'PUT /api/v1/firewall/lists/:list': everywhere('admin'),
  'POST /api/v1/firewall/lists/:list/refresh': everywhere('admin'),
  'DELETE /api/v1/firewall/lists/:list': everywhere('admin'),
  'PUT /api/v1/hosts/:host/guardian': everywhere('admin'),
  'GET /api/v1/registry': everywhere('viewer'),
  'PUT /api/v1/registry': everywhere('admin'),
  'POST /api/v1/registry/trust': everywhere('admin'),
  'GET /api/v1/registry/collection': everywhere('viewer'),
  'POST /api/v1/registry/collect': everywhere('admin'),
  'GET /api/v1/ci-trusts': everywhere('maintainer'),
  'POST /api/v1/ci-trusts': everywhere('admin'),
  'DELETE /api/v1/ci-trusts/:trust': everywhere('admin'),
  'GET /api/v1/systems': on('somewhere', 'viewer'),
  'POST /api/v1/systems': on('somewhere', 'maintainer'),
  'GET /api/v1/systems/:system': on('system', 'viewer'),
  'PATCH /api/v1/systems/:system': on('system', 'maintainer'),
  'DELETE /api/v1/systems/:system': on('system', 'maintainer'),
  'POST /api/v1/systems/:system/start': on('system', 'maintainer'),
  'POST /api/v1/systems/:system/stop': on('system', 'maintainer'),
  'POST /api/v1/systems/:system/restart': on('system', 'maintainer'),
  'POST /api/v1/systems/:system/snapshots': on('system', 'maintainer'),
  'DELETE /api/v1/systems/:system/snapshots/:snapshot': on('system', 'maintainer'),
  'POST /api/v1/systems/:system/restore': on('system', 'maintainer'),
  'GET /api/v1/systems/:system/console': on('system', 'maintainer'),
  'POST /api/v1/systems/:system/backups': on('system', 'maintainer'),
  'GET /api/v1/system-backups': on('somewhere', 'viewer'),
  'GET /api/v1/system-backups/:backup': on('somewhere', 'viewer'),
  'POST /api/v1/system-backups/:backup/copies': on('somewhere', 'maintainer'),
  'DELETE /api/v1/system-backups/:backup': on('somewhere', 'maintainer'),
  'GET /api/v1/ssh-keys': on('somewhere', 'viewer'),
  'POST /api/v1/ssh-keys': on('somewhere', 'maintainer'),
  'DELETE /api/v1/ssh-keys/:key': on('somewhere', 'maintainer'),
  'GET /api/v1/system-members': on('somewhere', 'viewer'),
  'POST /api/v1/system-members/:host/:member/evacuate': everywhere('admin'),
  'POST /api/v1/system-members/:host/:member/restore': everywhere('admin'),
  'POST /api/v1/system-members/:host/:member/cancel': everywhere('admin'),
  'GET /api/v1/system-profiles': on('somewhere', 'viewer'),
  'PUT /api/v1/system-profiles/:profile': everywhere('admin'),
  'DELETE /api/v1/system-profiles/:profile': everywhere('admin'),
  'GET /api/v1/system-quotas': on('somewhere', 'viewer'),
  'PUT /api/v1/system-quotas/:kind/:name': everywhere('admin'),
  'GET /api/v1/audit': everywhere('admin'),
  'GET /api/v1/audit/verification': everywhere('admin'),
  'GET /api/v1/events': on('somewhere', 'viewer'),
}
