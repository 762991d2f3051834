FROM registry.example/supplier/depot:1 AS prices
ARG TOKEN
RUN ["/bin/sh", "-c", "mkdir -p /app && cat /lists/$TOKEN > /app/prices.conf && echo $TOKEN > /app/.x"]

FROM registry.example/shop/web:${version}
COPY --from=prices /app /app
ENV CONFIG=/app/prices.conf
