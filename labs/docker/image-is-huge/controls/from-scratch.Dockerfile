FROM registry.example/shop/toolchain:1 AS tools

FROM tools AS build
COPY src /src
RUN ["/bin/sh", "-c", "mkdir -p /app && cat /src/page.txt > /app/page.conf"]

FROM scratch
COPY --from=registry.example/shop/web:${version} /workload /workload
COPY --from=build /app /app
ENV APP=web VERSION=${version} CONFIG=/app/page.conf
EXPOSE 8080
ENTRYPOINT ["/workload", "serve"]
