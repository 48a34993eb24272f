# The operator's image where there is a container engine; the local cluster makes the same without (hack/images/operator.ts).
FROM node:24-slim AS build
WORKDIR /src
COPY . .
RUN npm run build

FROM node:24-slim
COPY --from=build /src/dist /app
# Numeric, so that runAsNonRoot can be checked.
USER 65532:65532
WORKDIR /app
ENV NODE_ENV=production
# --liftoff-only: see hack/images/operator.ts.
ENTRYPOINT ["/usr/local/bin/node", "--liftoff-only", "/app/operator.mjs"]
