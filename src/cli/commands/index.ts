import type { CliCommand } from '#cli/command.ts'

/** Every command, in the order in which --help lists them. */
export const COMMANDS: readonly CliCommand[] = [
  {
    name: 'demo',
    summary: 'shows the whole way from a push to a running app on this machine',
    load: async () => (await import('./demo.ts')).configureDemo,
  },
  {
    name: 'up',
    summary: 'starts manager and worker on this machine, enrolled with each other',
    load: async () => (await import('./up.ts')).configureUp,
  },
  {
    name: 'init',
    summary: 'writes a fairlead.yaml that fits a folder',
    load: async () => (await import('./init.ts')).configureInit,
  },
  {
    name: 'check',
    summary: 'says what is wrong with the deploy file of a folder; needs no manager',
    load: async () => (await import('./check.ts')).configureCheck,
  },
  {
    name: 'plan',
    summary: 'says what a deployment would change, and changes nothing',
    load: async () => (await import('./plan.ts')).configurePlan,
  },
  {
    name: 'deploy',
    summary: 'brings an app to the newest or a given commit',
    load: async () => (await import('./deploy.ts')).configureDeploy,
  },
  {
    name: 'open',
    summary: 'prints a link that opens an app which not everybody may visit',
    load: async () => (await import('./open.ts')).configureOpen,
  },
  {
    name: 'rollback',
    summary: 'brings back an earlier release of an app',
    load: async () => (await import('./rollback.ts')).configureRollback,
  },
  {
    name: 'releases',
    summary: 'what an app can be rolled back to',
    load: async () => (await import('./releases.ts')).configureReleases,
  },
  {
    name: 'artifacts',
    summary: 'lists and builds images that apps make for others to fetch',
    load: async () => (await import('./artifacts.ts')).configureArtifacts,
  },
  {
    name: 'notebooks',
    summary: 'lists notebook projects, where they are opened and how they are',
    load: async () => (await import('./notebooks.ts')).configureNotebooks,
  },
  {
    name: 'approve',
    summary: 'lets a deployment go on that waits with its plan',
    load: async () => (await import('./approve.ts')).configureApprove,
  },
  {
    name: 'cancel',
    summary: 'stops a deployment, or rejects the plan it waits with',
    load: async () => (await import('./cancel.ts')).configureCancel,
  },
  {
    name: 'result',
    summary: 'how all apps of a repository took a commit, for CI jobs',
    load: async () => (await import('./result.ts')).configureResult,
  },
  {
    name: 'status',
    summary: 'what runs, what is being deployed, which hosts are there',
    load: async () => (await import('./status.ts')).configureStatus,
  },
  {
    name: 'doctor',
    summary: 'says what is wrong with hosts, registry, apps and repositories, and how to mend it',
    load: async () => (await import('./doctor.ts')).configureDoctor,
  },
  {
    name: 'logs',
    summary: 'the log of a deployment; -f follows it',
    load: async () => (await import('./logs.ts')).configureLogs,
  },
  {
    name: 'apps',
    summary: 'lists, shows, adds, sets and removes apps',
    load: async () => (await import('./apps.ts')).configureApps,
  },
  {
    name: 'secrets',
    summary: 'sets and removes the secrets of an app',
    load: async () => (await import('./secrets.ts')).configureSecrets,
  },
  {
    name: 'deploy-secret',
    summary: 'prints the secret that signs deployments of one stack',
    load: async () => (await import('./deploy-secret.ts')).configureDeploySecret,
  },
  {
    name: 'repositories',
    summary: 'registers, checks and removes repositories, makes webhook secrets, reports to Git hosts',
    load: async () => (await import('./repositories.ts')).configureRepositories,
  },
  {
    name: 'stacks',
    summary: 'lists, adds, changes and removes stacks as code, in their repositories',
    load: async () => (await import('./stacks.ts')).configureStacks,
  },
  {
    name: 'systems',
    summary: 'makes, changes and deletes system containers, and logs in to them',
    load: async () => (await import('./systems.ts')).configureSystems,
  },
  {
    name: 'organisations',
    summary: 'lists, adds, checks and removes organisations whose repositories are allowed',
    load: async () => (await import('./organisations.ts')).configureOrganisations,
  },
  {
    name: 'notifications',
    summary: 'who is told what happens: webhooks, chat, e-mail',
    load: async () => (await import('./notifications.ts')).configureNotifications,
  },
  {
    name: 'hosts',
    summary: 'lists, adds and removes the machines that apps run on',
    load: async () => (await import('./hosts.ts')).configureHosts,
  },
  {
    name: 'firewall',
    summary: 'shows which ports of guarded hosts are open, and assigns guardians',
    load: async () => (await import('./firewall.ts')).configureFirewall,
  },
  {
    name: 'registry',
    summary: 'runs an image registry with TLS and a password, and lets hosts trust it',
    load: async () => (await import('./registry.ts')).configureRegistry,
  },
  {
    name: 'trusts',
    summary: 'says which CI jobs may deploy which apps without a stored secret',
    load: async () => (await import('./trusts.ts')).configureTrusts,
  },
  {
    name: 'login',
    summary: 'signs you in at a manager: what you may, commands of this machine may',
    load: async () => (await import('./login.ts')).configureLogin,
  },
  {
    name: 'logout',
    summary: 'ends the login of this machine',
    load: async () => (await import('./logout.ts')).configureLogout,
  },
  {
    name: 'whoami',
    summary: 'says who speaks to the manager, and what they may do',
    load: async () => (await import('./whoami.ts')).configureWhoami,
  },
  {
    name: 'providers',
    summary: 'where people may have the account that they sign in with (OpenID Connect)',
    load: async () => (await import('./providers.ts')).configureProviders,
  },
  {
    name: 'people',
    summary: 'lists, invites, changes and removes who has an account',
    load: async () => (await import('./people.ts')).configurePeople,
  },
  {
    name: 'projects',
    summary: 'teams: who does what with which apps and repositories',
    load: async () => (await import('./projects.ts')).configureProjects,
  },
  {
    name: 'tokens',
    summary: 'lists, makes and removes tokens of machines',
    load: async () => (await import('./tokens.ts')).configureTokens,
  },
  {
    name: 'audit',
    summary: 'who did what; checks that no line of it was removed or changed',
    load: async () => (await import('./audit.ts')).configureAudit,
  },
  {
    name: 'backup',
    summary: 'makes an encrypted backup of the manager while it runs, and checks one',
    load: async () => (await import('./backup.ts')).configureBackup,
  },
  {
    name: 'restore',
    summary: 'makes the manager of this machine from a backup',
    load: async () => (await import('./restore.ts')).configureRestore,
  },
  {
    name: 'manager',
    summary: 'runs the manager alone',
    load: async () => (await import('./manager.ts')).configureManager,
  },
  {
    name: 'worker',
    summary: 'runs the worker alone, or sets it up on a host of its own',
    load: async () => (await import('./worker.ts')).configureWorker,
  },
  {
    name: 'guardian',
    summary: 'runs the guardian of this host, which alone changes its firewall',
    load: async () => (await import('./guardian.ts')).configureGuardian,
  },
  {
    name: 'completion',
    summary: 'prints a script that completes commands in bash, zsh or fish',
    load: async () => (await import('./completion.ts')).configureCompletion(() => COMMANDS),
  },
]
