import { expect, it } from 'vitest';
import { adaptTemplate } from './ingressNginx.ts';

const template = `# top
pid {{ .PID }};

events {
}
http {
    server { }
}

stream {
    lua_shared_dict x 5M;
    server {
        listen 127.0.0.1:{{ .StreamPort }};
    }
}

{{/* definition of templates */}}
`;

it("loads Debian's modules and reduces the stream block, and touches nothing else", () => {
  const adapted = adaptTemplate(template);
  expect(adapted).toContain('pid {{ .PID }};\n\nload_module /usr/lib/nginx/modules/ndk_http_module.so;');
  expect(adapted).not.toContain('lua_shared_dict x');
  expect(adapted).toContain('listen 127.0.0.1:{{ .StreamPort }};\n        return "";');
  expect(adapted).toContain('http {\n    server { }\n}\n');
  expect(adapted.endsWith('{{/* definition of templates */}}\n')).toBe(true);
});

it('refuses a template that it does not know', () => {
  expect(() => adaptTemplate('http {}')).toThrow(/not the known one/);
});
