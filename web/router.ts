import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { session } from '#web/api/session.ts'

/** Every page; each is loaded when it is opened first. `section` is the entry of the menu that is marked. */
const routes: RouteRecordRaw[] = [
  {
    path: '/login',
    component: () => import('./pages/LoginPage.vue'),
    meta: { title: 'Sign in', isOpen: true },
  },
  {
    path: '/first-start',
    component: () => import('./pages/FirstStartPage.vue'),
    meta: { title: 'First start', isOpen: true },
  },
  {
    path: '/invitation',
    component: () => import('./pages/InvitationPage.vue'),
    meta: { title: 'Choose a password', isOpen: true },
  },
  { path: '/account', component: () => import('./pages/AccountPage.vue'), meta: { title: 'My account' } },
  { path: '/people', component: () => import('./pages/PeoplePage.vue'), meta: { title: 'People' } },
  { path: '/tokens', component: () => import('./pages/TokensPage.vue'), meta: { title: 'Tokens' } },
  { path: '/new', component: () => import('./pages/NewAppPage.vue'), meta: { title: 'New app' } },
  { path: '/', component: () => import('./pages/OverviewPage.vue'), meta: { title: 'Overview' } },
  { path: '/apps', component: () => import('./pages/AppsPage.vue'), meta: { title: 'Apps' } },
  {
    path: '/apps/:app',
    component: () => import('./pages/AppPage.vue'),
    props: true,
    meta: { section: '/apps' },
  },
  {
    path: '/deployments',
    component: () => import('./pages/DeploymentsPage.vue'),
    meta: { title: 'Deployments' },
  },
  {
    path: '/deployments/:id',
    component: () => import('./pages/DeploymentPage.vue'),
    props: true,
    meta: { section: '/deployments' },
  },
  {
    path: '/repositories',
    component: () => import('./pages/RepositoriesPage.vue'),
    meta: { title: 'Repositories' },
  },
  {
    path: '/repositories/:repository',
    component: () => import('./pages/RepositoryPage.vue'),
    props: true,
    meta: { section: '/repositories' },
  },
  { path: '/hosts', component: () => import('./pages/HostsPage.vue'), meta: { title: 'Hosts' } },
  { path: '/secrets', component: () => import('./pages/SecretsPage.vue'), meta: { title: 'Secrets' } },
  {
    path: '/notifications',
    component: () => import('./pages/NotificationsPage.vue'),
    meta: { title: 'Notifications' },
  },
  { path: '/artifacts', component: () => import('./pages/ArtifactsPage.vue'), meta: { title: 'Artefacts' } },
  { path: '/stacks', component: () => import('./pages/StacksPage.vue'), meta: { title: 'Stacks' } },
  { path: '/systems', component: () => import('./pages/SystemsPage.vue'), meta: { title: 'Systems' } },
  {
    path: '/systems/new',
    component: () => import('./pages/NewSystemPage.vue'),
    meta: { title: 'New system', section: '/systems' },
  },
  {
    path: '/systems/:system',
    component: () => import('./pages/SystemPage.vue'),
    props: true,
    meta: { section: '/systems' },
  },
  { path: '/projects', component: () => import('./pages/ProjectsPage.vue'), meta: { title: 'Projects' } },
  {
    path: '/projects/:project',
    component: () => import('./pages/ProjectPage.vue'),
    props: true,
    meta: { section: '/projects' },
  },
  {
    path: '/organisations',
    component: () => import('./pages/OrganisationsPage.vue'),
    meta: { title: 'Organisations', section: '/repositories' },
  },
  { path: '/registry', component: () => import('./pages/RegistryPage.vue'), meta: { title: 'Registry' } },
  { path: '/audit', component: () => import('./pages/AuditPage.vue'), meta: { title: 'Audit' } },
  { path: '/settings', component: () => import('./pages/SettingsPage.vue'), meta: { title: 'Settings' } },
  { path: '/notebooks', component: () => import('./pages/NotebooksPage.vue'), meta: { title: 'Notebooks' } },
  {
    path: '/:rest(.*)*',
    component: () => import('./pages/NothingHerePage.vue'),
    meta: { title: 'Nothing here' },
  },
]

export const router = createRouter({
  history: createWebHistory(),
  routes,
  scrollBehavior: (_, __, saved) => saved ?? { top: 0 },
})

router.beforeEach(async to => {
  await session.ready()
  if (to.meta.isOpen !== true && !session.isOpen.value) {
    return { path: '/login', query: { to: to.fullPath } }
  }
  if (session.needsFactor.value && to.meta.isOpen !== true && to.path !== '/account') {
    return { path: '/account' }
  }
  return true
})

router.afterEach(to => {
  const { app, repository, system, project } = to.params
  const name = to.meta.title ?? app ?? repository ?? system ?? project ?? 'Deployment'
  document.title = `${String(name)} · Fairlead`
})
