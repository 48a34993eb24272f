# The operator's image where a container engine builds it; `npm run cluster` makes the same one without (hack/images).
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
ENTRYPOINT ["node", "--enable-source-maps", "/app/main.js"]
