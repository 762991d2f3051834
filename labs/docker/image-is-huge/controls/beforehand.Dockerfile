FROM registry.example/shop/web:${version}
COPY page.txt /app/page.conf
ENV CONFIG=/app/page.conf
