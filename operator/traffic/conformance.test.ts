import { createFakeKube } from '../testing/fakeKube.ts';
import { createFakeRouter } from '../testing/fakeRouter.ts';
import { routerConformance } from '../testing/routerConformance.ts';
import { createGatewayRouter } from './gateway.ts';
import { createNginxAnnotationsRouter } from './nginxAnnotations.ts';

const { client } = createFakeKube();
const service = { namespace: 'ingress', name: 'controller' };

routerConformance('ingress-nginx', createNginxAnnotationsRouter(client, service), {});
routerConformance('ingress-nginx with TLS', createNginxAnnotationsRouter(client, service), {
  tls: { secretName: 'todo-tls' },
});
routerConformance('Gateway API', createGatewayRouter(client, service), {
  router: 'GatewayAPI',
  parentRefs: [{ name: 'public', namespace: 'gateways' }],
});
routerConformance('fake', createFakeRouter(), {});
